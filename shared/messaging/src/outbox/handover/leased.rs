use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::outbox::store::Running;

/// Our own transactions end within seconds. Whoever runs for so long is somebody else, and people should know.
const LONG: Duration = Duration::from_secs(60);

/// The shards of this process.
#[derive(Default)]
pub(super) struct Leased {
    /// Who holds them, as the database knows it.
    holder: Uuid,
    shards: BTreeMap<i16, Shard>,
    /// Until then they are this process's.
    until: Option<Instant>,
    /// How often they were renewed or in doubt.
    term: u64,
    /// Since when some shard waits for transactions to end, and whether somebody was told.
    waiting: Option<(Instant, bool)>,
}

struct Shard {
    /// Since which term it is held without a gap.
    term: u64,
    /// The table was looked at since then, so that this process knows all that comes before what is written now.
    is_looked_at: bool,
    /// Who may have written for it without a word.
    strangers: Strangers,
    /// Since which term there are strangers, if there are.
    since: u64,
}

/// Transactions that may commit, or have committed, rows that are not `queued` and that this process does not know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strangers {
    /// All that have begun by now.
    All,
    /// All before this one.
    Before(i64),
    /// They have ended, and what they wrote is in the table.
    Ended,
    /// They have ended, and the table was looked at.
    Seen,
}

/// What may be handed over.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::outbox) struct Open {
    /// Who holds the shards.
    pub(in crate::outbox) holder: Uuid,
    pub(in crate::outbox) shards: Vec<i16>,
    /// What waits in the table and is known.
    pub(in crate::outbox) known: Vec<i64>,
    /// When that was so.
    pub(in crate::outbox) term: u64,
}

impl Leased {
    pub(super) fn set_holder(&mut self, holder: Uuid) {
        self.holder = holder;
    }

    pub(super) fn holder(&self) -> Uuid {
        self.holder
    }

    /// These shards are held until then. Returns whether one of them is new: somebody else may have had it in between.
    pub(super) fn hold(&mut self, shards: &[i16], until: Instant) -> bool {
        let now = Instant::now();
        let has_lapsed = self.until.is_none_or(|until| until <= now);
        self.shards
            .retain(|shard, _| !has_lapsed && shards.contains(shard));
        if !self.has_strangers() {
            self.waiting = None;
        }
        let kept = self.shards.len();
        self.term += 1;
        for shard in shards {
            let new = || Shard {
                term: self.term,
                is_looked_at: false,
                strangers: Strangers::All,
                since: self.term,
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

    /// Those of them of which this process knows all that is not `queued`.
    pub(super) fn settled(&self, now: Instant) -> Vec<i16> {
        self.those(now, |shard| shard.strangers == Strangers::Seen)
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

    /// A transaction that has written for this shard may still commit, and nobody will tell.
    pub(super) fn doubt(&mut self, shard: i16) {
        self.term += 1;
        if let Some(shard) = self.shards.get_mut(&shard) {
            (shard.strangers, shard.since) = (Strangers::All, self.term);
        }
    }

    /// Whether some shard waits for transactions to end.
    pub(super) fn has_strangers(&self) -> bool {
        let mut shards = self.shards.values();
        shards.any(|shard| matches!(shard.strangers, Strangers::All | Strangers::Before(_)))
    }

    /// These transactions run, or did after that term. Returns whether shards wait for them for long by now, once.
    pub(super) fn run(&mut self, term: u64, running: &Running, now: Instant) -> bool {
        for shard in self.shards.values_mut() {
            if shard.strangers == Strangers::All && shard.since <= term {
                shard.strangers = Strangers::Before(running.next);
            }
            if matches!(shard.strangers, Strangers::Before(next) if next <= running.oldest) {
                shard.strangers = Strangers::Ended;
            }
        }
        if !self.has_strangers() {
            self.waiting = None;
            return false;
        }
        let (since, is_told) = self.waiting.get_or_insert((now, false));
        let is_news = !*is_told && now.duration_since(*since) >= LONG;
        *is_told |= is_news;
        is_news
    }

    /// The table was looked at for these shards. The look began in that term.
    pub(super) fn looked(&mut self, shards: &[i16], term: u64) {
        for number in shards {
            if let Some(shard) = self.shards.get_mut(number)
                && shard.term <= term
            {
                shard.is_looked_at = true;
                if shard.strangers == Strangers::Ended {
                    shard.strangers = Strangers::Seen;
                }
            }
        }
    }

    /// Whether it was looked at since it is held.
    pub(super) fn is_looked_at(&self, shard: i16) -> bool {
        let shard = self.shards.get(&shard);
        shard.is_some_and(|shard| shard.is_looked_at)
    }
}

#[cfg(test)]
mod tests;
