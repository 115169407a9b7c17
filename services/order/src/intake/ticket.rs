//! A request between the one who waits for its answer and the writer: whoever takes it decides.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use tokio::sync::oneshot;

use super::{NewOrderRequest, Refusal};
use crate::domain::Order;

/// A request in the queue of the writers.
pub(super) struct Waiting {
    pub(super) ticket: Ticket,
    pub(super) deadline: Instant,
    pub(super) answer: oneshot::Sender<Result<Order, Refusal>>,
}

/// Both sides hold one; what it stands for can be taken once.
#[derive(Clone)]
pub(super) struct Ticket(Arc<Mutex<Option<NewOrderRequest>>>);

impl Ticket {
    pub(super) fn new(request: NewOrderRequest) -> Self {
        Self(Arc::new(Mutex::new(Some(request))))
    }

    /// The request, if nobody has taken it. After that the other side gets nothing.
    pub(super) fn take(&self) -> Option<NewOrderRequest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// For the one who waits: takes the request back when the wait is over, however it ends.
    pub(super) fn take_back_on_drop(self) -> TakenBack {
        TakenBack(self)
    }
}

/// Takes the request back when dropped, as a client does that goes away.
pub(super) struct TakenBack(Ticket);

impl TakenBack {
    /// Whether the request could be taken back: then nothing will come of it.
    pub(super) fn now(&self) -> bool {
        self.0.take().is_some()
    }
}

impl Drop for TakenBack {
    fn drop(&mut self) {
        self.0.take();
    }
}
