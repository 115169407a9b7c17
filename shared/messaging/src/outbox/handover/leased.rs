use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The shards of this process.
#[derive(Default)]
pub(super) struct Leased {
    shards: BTreeMap<i16, Shard>,
    /// Until then they are this process's.
    until: Option<Instant>,
    /// How often they were renewed.
    term: u64,
}

struct Shard {
    /// Since which term it is held without a gap.
    term: u64,
    /// The table was looked at since then, so that this process knows all that comes before what is written now.
    is_looked_at: bool,
    /// Since when nothing can have been written for it that this process does not know of.
    since: Instant,
}

impl Leased {
    /// These shards are held until then. Returns whether one of them is new: somebody else may have had it in between.
    pub(super) fn hold(&mut self, shards: &[i16], until: Instant) -> bool {
        let now = Instant::now();
        let has_lapsed = self.until.is_none_or(|until| until <= now);
        self.shards
            .retain(|shard, _| !has_lapsed && shards.contains(shard));
        let kept = self.shards.len();
        self.term += 1;
        for shard in shards {
            let new = || Shard {
                term: self.term,
                is_looked_at: false,
                since: now,
            };
            self.shards.entry(*shard).or_insert_with(new);
        }
        self.until = Some(until);
        self.shards.len() > kept
    }

    /// The shards held at this moment; none once the lease has run out.
    pub(super) fn held(&self, now: Instant) -> Vec<i16> {
        self.those(now, |_| true)
    }

    /// Those of them for which nothing unknown has been written for so long.
    pub(super) fn settled(&self, now: Instant, settled: Duration) -> Vec<i16> {
        self.those(now, |shard| {
            shard.is_looked_at && now.duration_since(shard.since) >= settled
        })
    }

    fn those(&self, now: Instant, is: impl Fn(&Shard) -> bool) -> Vec<i16> {
        let is_held = self.until.is_some_and(|until| now < until);
        let those = self.shards.iter().filter(|(_, shard)| is_held && is(shard));
        those.map(|(number, _)| *number).collect()
    }

    pub(super) fn term(&self) -> u64 {
        self.term
    }

    /// Whether it is held without a gap since that term.
    pub(super) fn is_held_since(&self, shard: i16, term: u64) -> bool {
        let shard = self.shards.get(&shard);
        shard.is_some_and(|shard| shard.term <= term)
    }

    /// Nobody knows what is being written for this shard.
    pub(super) fn doubt(&mut self, shard: i16) {
        if let Some(shard) = self.shards.get_mut(&shard) {
            shard.since = Instant::now();
        }
    }

    /// The table was looked at for these shards. The look began in that term.
    pub(super) fn looked(&mut self, shards: &[i16], term: u64) {
        for number in shards {
            if let Some(shard) = self.shards.get_mut(number) {
                shard.is_looked_at |= shard.term <= term;
            }
        }
    }

    /// Whether it was looked at since it is held.
    pub(super) fn is_looked_at(&self, shard: i16) -> bool {
        let shard = self.shards.get(&shard);
        shard.is_some_and(|shard| shard.is_looked_at)
    }
}
