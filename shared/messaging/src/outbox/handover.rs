//! From a transaction that has committed to the relay of the same process, past the table.
//!
//! The row of the outbox is in the table all the same: for a crash, for another instance, and for what
//! does not fit in here. A row is handed over only if nothing waits in the table for its shard that is not
//! here as well, see [`insert`](super::store::insert). So what is here of a shard is all that comes before
//! whatever is written for it later, and is published in the order of the table.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::ledger::{Known, Ledger, Stage};
use super::row::Row;

/// Beyond so many rows, or so many bytes of bodies, rows wait in the table.
const ROWS: usize = 2_000;
const BYTES: usize = 4 * 1024 * 1024;

/// Something that was refused is looked for until so long after it was last seen. Longer than it takes to see it.
const REFUSED: Duration = Duration::from_secs(10);

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
    ledger: Ledger,
    /// Something may wait in the table.
    look: bool,
    /// When something that was refused was last seen to wait for another attempt.
    refused: Option<Instant>,
    /// More waits in the table than was found.
    is_behind: bool,
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
        let is_kept = |shard: &i16| !has_lapsed && shards.contains(shard);
        let State {
            shards: held,
            ledger,
            ..
        } = &mut *state;
        held.retain(|shard, _| is_kept(shard));
        // Also what came in for a shard after it was lost.
        ledger.keep(|shard| held.contains_key(&shard));
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

    /// The shards whose rows may be handed over, if there is room, and what waits in the table and is known.
    pub(super) fn open(&self) -> (Vec<i16>, Vec<i64>) {
        let (now, state) = (Instant::now(), self.state());
        let (rows, bytes) = state.ledger.size();
        if rows >= ROWS || bytes >= BYTES || state.is_behind {
            return Default::default();
        }
        let is_settled = |since: &Instant| now.duration_since(*since) >= self.settled;
        let open = state.held(now).filter(|(_, since)| is_settled(since));
        let open = open.map(|(shard, _)| *shard).collect();
        (open, state.ledger.queued())
    }

    /// A transaction has written these rows and not committed.
    pub(super) fn written(&self, rows: Vec<Row>) {
        let mut state = self.state();
        for row in rows {
            state.ledger.written(row);
        }
    }

    /// The transaction has committed.
    pub(super) fn committed(&self, seqs: &[i64]) {
        let (from, to) = (Stage::Written, Stage::Committed);
        self.state().ledger.move_on(seqs, from, to);
        self.woken.notify_one();
    }

    /// The transaction was rolled back. Later rows of the shard may have waited for it.
    pub(super) fn rolled_back(&self, seqs: &[i64]) {
        self.state().ledger.remove(seqs);
        self.woken.notify_one();
    }

    /// Nobody knows what became of the transaction. What follows waits until the table was looked at, and
    /// for a while nothing is handed over: the database may still be about to commit.
    pub(super) fn doubtful(&self, seqs: &[i64]) {
        let mut state = self.state();
        for shard in state.ledger.shards(seqs) {
            let shard = state.shards.entry(shard);
            shard.and_modify(|since| *since = Instant::now());
        }
        let (from, to) = (Stage::Written, Stage::Doubtful);
        state.ledger.move_on(seqs, from, to);
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

    /// Whether anything is to be forgotten.
    pub(super) fn has_confirmed(&self) -> bool {
        self.state().ledger.has_confirmed()
    }

    /// What is known before the table is looked at.
    pub(super) fn known(&self) -> Known {
        self.state().ledger.known()
    }

    /// The table was looked at: what was confirmed is no longer there, what was doubtful is among what was
    /// found or nowhere, and perhaps more is there than was found.
    pub(super) fn looked(&self, known: &Known, found: Vec<Row>, is_all: bool) {
        let mut state = self.state();
        state.ledger.remove(&known.confirmed);
        state.ledger.remove(&known.doubtful);
        for row in found {
            state.ledger.found(row);
        }
        state.is_behind = !is_all;
        state.look |= !is_all;
    }

    /// Takes what is next in these shards. No row passes an older one of its shard.
    pub(super) fn take(&self, shards: &[i16], limit: usize) -> Vec<Row> {
        self.state().ledger.take(shards, limit)
    }

    /// The broker has confirmed these.
    pub(super) fn confirmed(&self, seqs: &[i64]) {
        let (from, to) = (Stage::Taken, Stage::Confirmed);
        self.state().ledger.move_on(seqs, from, to);
    }

    /// The broker has refused these, and the table knows.
    pub(super) fn refused(&self, seqs: &[i64]) {
        let mut state = self.state();
        state.ledger.remove(seqs);
        state.refused = Some(Instant::now());
    }

    /// Something that was refused is in the table.
    pub(super) fn found_refused(&self) {
        self.state().refused = Some(Instant::now());
    }

    /// Whether something that was refused may wait for another attempt.
    pub(super) fn has_refused(&self) -> bool {
        let refused = self.state().refused;
        refused.is_some_and(|seen| seen.elapsed() < REFUSED)
    }

    /// These were not published.
    pub(super) fn put_back(&self, seqs: &[i64]) {
        let (from, to) = (Stage::Taken, Stage::Committed);
        self.state().ledger.move_on(seqs, from, to);
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
}

#[cfg(test)]
mod tests;
