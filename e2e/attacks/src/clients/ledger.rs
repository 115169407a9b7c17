use std::sync::{Mutex, MutexGuard, PoisonError};

use checker::{Answered, Attempt, Restocked};

/// What clients were answered.
#[derive(Debug, Default)]
pub struct Ledger {
    answered: Mutex<Answered>,
}

impl Ledger {
    /// Everything so far.
    #[must_use]
    pub fn answered(&self) -> Answered {
        self.lock().clone()
    }

    /// A client that is about to ask; the place in the ledger is for what it is answered.
    pub(super) fn attempt(&self, attempt: Attempt) -> usize {
        let mut answered = self.lock();
        answered.attempts.push(attempt);
        answered.attempts.len() - 1
    }

    pub(super) fn write(&self, place: usize, note: impl FnOnce(&mut Attempt)) {
        if let Some(attempt) = self.lock().attempts.get_mut(place) {
            note(attempt);
        }
    }

    pub(super) fn restock(&self, delivery: Restocked) -> usize {
        let mut answered = self.lock();
        answered.restocked.push(delivery);
        answered.restocked.len() - 1
    }

    pub(super) fn restocked(&self, place: usize) {
        if let Some(delivery) = self.lock().restocked.get_mut(place) {
            delivery.answered = true;
        }
    }

    /// Somebody was refused what can be had.
    pub(super) fn refused(&self, what: String) {
        self.lock().refused.push(what);
    }

    /// Somebody has asked in vain until long after everything was healed.
    pub(super) fn unanswered(&self, what: String) {
        self.lock().unanswered.push(what);
    }

    fn lock(&self) -> MutexGuard<'_, Answered> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
