use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

/// The messages that are being handled in this process, each by one worker. A message that is delivered
/// again after a lost connection may still be in the hands of the worker that had it before.
#[derive(Default)]
pub(super) struct Alone {
    handled: Mutex<HashSet<Uuid>>,
}

/// Nobody else in this process handles the message as long as this lives.
pub(super) struct Place<'a> {
    alone: &'a Alone,
    id: Uuid,
}

impl Alone {
    /// Nothing while another worker handles the message.
    pub(super) fn with(&self, id: Uuid) -> Option<Place<'_>> {
        let mut handled = self.handled.lock().unwrap_or_else(PoisonError::into_inner);
        handled.insert(id).then(|| Place { alone: self, id })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let handled = self.alone.handled.lock();
        let mut handled = handled.unwrap_or_else(PoisonError::into_inner);
        handled.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_in_one_pair_of_hands() {
        let (alone, id) = (Alone::default(), Uuid::now_v7());
        let place = alone.with(id);
        assert!(place.is_some());
        assert!(alone.with(id).is_none());
        assert!(alone.with(Uuid::now_v7()).is_some());
        drop(place);
        assert!(alone.with(id).is_some());
    }
}
