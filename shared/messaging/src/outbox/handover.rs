//! From a transaction that has committed to the relay of the same process, past the table.
//!
//! The row of the outbox is in the table all the same: for a crash, for another instance, and for what
//! does not fit in here. A row is handed over only if nothing that is older waits in the table for the
//! same shard, see [`insert`](super::store::insert). So what is here is newer than what is published,
//! and everything else of its shard is newer than what is here.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::row::Row;

/// Beyond so many rows, or so many bytes of bodies, rows wait in the table.
const ROWS: usize = 2_000;
const BYTES: usize = 4 * 1024 * 1024;

/// What the transactions of this process and its relay to one broker share.
pub(crate) struct Handover {
    /// For so long a shard has to be held before anything is handed over.
    settled: Duration,
    state: Mutex<State>,
    /// The relay has something to do.
    woken: Notify,
    /// Another instance has something to do.
    pub(super) elsewhere: Notify,
}

#[derive(Default)]
struct State {
    /// The shards of this process, and since when it has seen all that is written for them.
    shards: BTreeMap<i16, Instant>,
    /// Until then they are this process's.
    until: Option<Instant>,
    /// By their place in the order of publishing.
    entries: BTreeMap<i64, Entry>,
    bytes: usize,
    /// Something may wait in the table.
    look: bool,
}

struct Entry {
    row: Row,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Its transaction has not ended.
    Written,
    /// Nobody knows whether its transaction has committed. Only the table tells.
    Doubtful,
    Committed,
    /// It is with the broker.
    Taken,
}

impl Handover {
    pub(super) fn new(settled: Duration) -> Self {
        Self {
            settled,
            state: Mutex::default(),
            woken: Notify::new(),
            elsewhere: Notify::new(),
        }
    }

    /// The relay holds these shards until then.
    pub(super) fn hold(&self, shards: &[i16], until: Instant) {
        let now = Instant::now();
        let mut state = self.state();
        // Somebody else may have had them in between.
        let has_lapsed = state.until.is_none_or(|until| until <= now);
        let kept = |shard: &i16| !has_lapsed && shards.contains(shard);
        state.shards.retain(|shard, _| kept(shard));
        // What was written for the others is read from the table, by whoever holds them now.
        let of_others = (state.entries.iter())
            .filter(|(_, entry)| !state.shards.contains_key(&entry.row.shard))
            .map(|(seq, _)| *seq);
        let of_others: Vec<_> = of_others.collect();
        state.remove(&of_others);
        for shard in shards {
            state.shards.entry(*shard).or_insert(now);
        }
        state.until = Some(until);
    }

    /// The shards held at this moment; none once the lease has run out.
    pub(super) fn held(&self) -> Vec<i16> {
        let state = self.state();
        state
            .held(Instant::now())
            .map(|(shard, _)| *shard)
            .collect()
    }

    /// The shards whose rows may be handed over, if there is room.
    pub(super) fn open(&self) -> Vec<i16> {
        let (now, state) = (Instant::now(), self.state());
        if state.entries.len() >= ROWS || state.bytes >= BYTES {
            return Vec::new();
        }
        let is_settled = |since: &Instant| now.duration_since(*since) >= self.settled;
        let open = state.held(now).filter(|(_, since)| is_settled(since));
        open.map(|(shard, _)| *shard).collect()
    }

    /// A transaction has written these rows and not committed.
    pub(super) fn written(&self, rows: Vec<Row>) {
        let mut state = self.state();
        for row in rows {
            state.bytes += row.body.len();
            let stage = Stage::Written;
            state.entries.insert(row.seq, Entry { row, stage });
        }
    }

    /// The transaction has committed.
    pub(super) fn committed(&self, seqs: &[i64]) {
        self.move_on(seqs, Stage::Written, Stage::Committed);
        self.woken.notify_one();
    }

    /// The transaction was rolled back.
    pub(super) fn rolled_back(&self, seqs: &[i64]) {
        self.state().remove(seqs);
        // Later rows of the shard may have waited for it.
        self.woken.notify_one();
    }

    /// Nobody knows what became of the transaction. What follows waits until the table was looked at, and
    /// for a while nothing is handed over: the database may still be about to commit.
    pub(super) fn doubtful(&self, seqs: &[i64]) {
        let mut state = self.state();
        for seq in seqs {
            if let Some(entry) = state.entries.get_mut(seq) {
                entry.stage = Stage::Doubtful;
                let shard = entry.row.shard;
                (state.shards.entry(shard)).and_modify(|since| *since = Instant::now());
            }
        }
        drop(state);
        self.look();
    }

    /// Has the relay look into the table soon.
    pub(super) fn look(&self) {
        self.state().look = true;
        self.woken.notify_one();
    }

    /// Waits until there is something to do.
    pub(super) async fn woken(&self) {
        self.woken.notified().await;
    }

    /// Whether something may wait in the table, and not again until the next word of it.
    pub(super) fn take_look(&self) -> bool {
        std::mem::take(&mut self.state().look)
    }

    /// What need not be looked for in the table, and what is to be given up unless it is found there.
    pub(super) fn known_and_doubtful(&self) -> (Vec<i64>, Vec<i64>) {
        let state = self.state();
        let doubtful = |entry: &Entry| entry.stage == Stage::Doubtful;
        let (doubtful, known): (Vec<_>, Vec<_>) =
            state.entries.iter().partition(|(_, entry)| doubtful(entry));
        let seqs = |entries: Vec<(&i64, &Entry)>| entries.iter().map(|(seq, _)| **seq).collect();
        (seqs(known), seqs(doubtful))
    }

    /// The table was looked at: what was doubtful before stands there or nowhere.
    pub(super) fn looked(&self, doubtful: &[i64]) {
        self.state().remove(doubtful);
    }

    /// Takes what is next in these shards, with what was found in the table. No row passes an older one of its
    /// shard.
    pub(super) fn take(&self, shards: &[i16], mut found: Vec<Row>, limit: usize) -> Vec<Row> {
        let mut state = self.state();
        // Some may have come in here while the table was looked at.
        found.retain(|row| !state.entries.contains_key(&row.seq));
        let mut rows = Vec::new();
        let mut first_left: BTreeMap<i16, i64> = BTreeMap::new();
        for (seq, Entry { row, stage }) in &state.entries {
            let is_next = *stage == Stage::Committed
                && shards.contains(&row.shard)
                && !first_left.contains_key(&row.shard)
                && rows.len() < limit;
            if is_next {
                rows.push(row.clone());
            } else {
                first_left.entry(row.shard).or_insert(*seq);
            }
        }
        let is_free = |row: &Row| {
            first_left
                .get(&row.shard)
                .is_none_or(|left| row.seq < *left)
        };
        let free = found.iter().filter(|row| is_free(row));
        rows.extend(free.cloned());
        rows.sort_unstable_by_key(|row| row.seq);
        rows.truncate(limit);
        let mut of_table = 0;
        for row in &rows {
            match state.entries.get_mut(&row.seq) {
                Some(entry) => entry.stage = Stage::Taken,
                None => of_table += 1,
            }
        }
        state.look |= of_table < found.len();
        rows
    }

    /// These are no longer to be published from here.
    pub(super) fn done(&self, seqs: &[i64]) {
        self.state().remove(seqs);
    }

    /// These were not published.
    pub(super) fn put_back(&self, seqs: &[i64]) {
        self.move_on(seqs, Stage::Taken, Stage::Committed);
    }

    fn move_on(&self, seqs: &[i64], from: Stage, to: Stage) {
        let mut state = self.state();
        for seq in seqs {
            if let Some(entry) = state
                .entries
                .get_mut(seq)
                .filter(|entry| entry.stage == from)
            {
                entry.stage = to;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn held(&self, now: Instant) -> impl Iterator<Item = (&i16, &Instant)> {
        let is_held = self.until.is_some_and(|until| now < until);
        self.shards.iter().filter(move |_| is_held)
    }

    fn remove(&mut self, seqs: &[i64]) {
        for seq in seqs {
            if let Some(entry) = self.entries.remove(seq) {
                self.bytes -= entry.row.body.len();
            }
        }
    }
}

#[cfg(test)]
mod tests;
