//! From a transaction that has committed to the relay of the same process, past the table.
//!
//! The row of the outbox is in the table all the same: for a crash, for another instance, and for what
//! does not fit in here. A row is handed over only if nothing waits in the table for its shard that is not
//! here as well, see [`insert`](super::store::insert). So what is here of a shard is all that comes before
//! whatever is written for it later, and is published in the order of the table.
//!
//! That holds from the moment on when all transactions have ended that another holder of the shard may have begun.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use uuid::Uuid;

use self::leased::Leased;
pub(super) use self::leased::Open;
use super::ledger::{Known, Ledger, Stage};
use super::row::Row;
use super::store::Running;

mod leased;

/// Beyond so many rows, or so many bytes of bodies, rows wait in the table.
const ROWS: usize = 2_000;
const BYTES: usize = 4 * 1024 * 1024;

/// Something that was refused is looked for until so long after it was last seen. Longer than it takes to see it.
const REFUSED: Duration = Duration::from_secs(10);

/// What the transactions of this process and its relay to one broker share.
pub(crate) struct Handover {
    state: Mutex<State>,
    /// The relay has something to do.
    woken: Notify,
    /// Another instance has something to do.
    pub(super) elsewhere: Notify,
}

#[derive(Default)]
struct State {
    leased: Leased,
    ledger: Ledger,
    /// Something may wait in the table.
    look: bool,
    /// When something that was refused was last seen to wait for another attempt.
    refused: Option<Instant>,
    /// More waits in the table than was found.
    is_behind: bool,
}

impl Handover {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::default(),
            woken: Notify::new(),
            elsewhere: Notify::new(),
        }
    }

    /// By this name the relay has its leases.
    pub(super) fn is_held_by(&self, holder: Uuid) {
        self.state().leased.set_holder(holder);
    }

    /// The relay holds these shards until then.
    pub(super) fn hold(&self, shards: &[i16], until: Instant) {
        let mut state = self.state();
        let before = state.leased.term();
        let is_new = state.leased.hold(shards, until);
        // Somebody else may have published what is here for a shard that is held anew. What is dropped may be missing
        // from a look that is on its way. Nothing is taken before another one.
        let State { leased, ledger, .. } = &mut *state;
        ledger.keep(|shard| leased.is_held_since(shard, before));
        drop(state);
        if is_new {
            self.look();
        }
    }

    /// The shards held at this moment; none once the lease has run out.
    pub(super) fn held(&self) -> Vec<i16> {
        self.state().leased.held(Instant::now())
    }

    /// The shards whose rows may be handed over, if there is room.
    pub(super) fn open(&self) -> Open {
        let state = self.state();
        let (rows, bytes) = state.ledger.size();
        if rows >= ROWS || bytes >= BYTES || state.is_behind {
            return Open::default();
        }
        Open {
            holder: state.leased.holder(),
            shards: state.leased.settled(Instant::now()),
            known: state.ledger.queued(),
            term: state.leased.term(),
        }
    }

    /// A transaction has written these rows and not committed. A row is left to the table if its shard was lost since
    /// it was open.
    pub(super) fn written(&self, rows: Vec<Row>, term: u64) {
        let mut state = self.state();
        for row in rows {
            if state.leased.is_held_since(row.shard, term) {
                state.ledger.written(row);
            }
        }
    }

    /// The transaction has committed. What was left to the table is looked for.
    pub(super) fn committed(&self, seqs: &[i64]) {
        let (from, to) = (Stage::Written, Stage::Committed);
        let mut state = self.state();
        state.ledger.move_on(seqs, from, to);
        state.look |= !state.ledger.has_all(seqs);
        drop(state);
        self.woken.notify_one();
    }

    /// The transaction was rolled back. Later rows of the shard may have waited for it.
    pub(super) fn rolled_back(&self, seqs: &[i64]) {
        self.state().ledger.remove(seqs);
        self.woken.notify_one();
    }

    /// Nobody knows what became of the transaction. What follows waits until the table was looked at, and
    /// until the transaction has ended nothing is handed over: the database may still be about to commit.
    pub(super) fn doubtful(&self, seqs: &[i64]) {
        let mut state = self.state();
        for shard in state.ledger.shards(seqs) {
            state.leased.doubt(shard);
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

    /// The term, if the relay has to know which transactions run before it looks at the table.
    pub(super) fn has_strangers(&self) -> Option<u64> {
        let state = self.state();
        state.leased.has_strangers().then(|| state.leased.term())
    }

    /// These transactions run, or did after that term. Returns whether people should know of the oldest one.
    pub(super) fn run(&self, term: u64, running: &Running) -> bool {
        self.state().leased.run(term, running, Instant::now())
    }

    /// What is known before the table is looked at, and in which term that is.
    pub(super) fn known(&self) -> (Known, u64) {
        let state = self.state();
        (state.ledger.known(), state.leased.term())
    }

    /// The table was looked at for these shards: what was confirmed is no longer there, what was doubtful is among
    /// what was found or nowhere, and perhaps more is there than was found.
    pub(super) fn looked(
        &self,
        shards: &[i16],
        (known, term): &(Known, u64),
        found: Vec<Row>,
        is_all: bool,
    ) {
        let mut state = self.state();
        state.leased.looked(shards, *term);
        state.ledger.remove(&known.confirmed);
        state.ledger.remove(&known.doubtful);
        for row in found {
            // What comes before it may have been known when the look began, and was given up since.
            if state.leased.is_held_since(row.shard, *term) {
                state.ledger.found(row);
            }
        }
        state.is_behind = !is_all;
        state.look |= !is_all;
    }

    /// Takes what is next in those of these shards for which the table was looked at. No row passes an older one of
    /// its shard.
    pub(super) fn take(&self, shards: &[i16], limit: usize) -> Vec<Row> {
        let mut state = self.state();
        let is_looked_at = |shard: &i16| state.leased.is_looked_at(*shard);
        let shards: Vec<i16> = shards.iter().copied().filter(is_looked_at).collect();
        state.ledger.take(&shards, limit)
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

#[cfg(test)]
mod tests;
