//! The way in for new orders: requests that arrive together share one transaction.
//!
//! A commit waits for the disk, so one transaction per request would limit the service to the pace
//! of the disk. A writer takes whatever waits: a lone request is not delayed. Under load the writers keep a
//! [`Pace`], so that batches are large and few.

use std::{sync::Arc, time::Instant};

use contracts::{Customer, Line};
use messaging::{Bus, Cause, Pace};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    time::timeout_at,
};

use crate::domain::{Order, PriceError};
use crate::store::Idempotency;

mod limits;
mod place;
mod prices;
mod ticket;
mod write;

use prices::Prices;
use ticket::{Ticket, Waiting};
use write::Queue;

/// Requests that share a transaction at most.
const BATCH: usize = 200;
/// Requests that may wait; beyond that, more waiting would not help anyone.
const WAITING: usize = 5 * BATCH;
/// While one writer waits for its commit, another one fills the next transaction.
const WRITERS: usize = 2;

/// An order that somebody asks for.
#[derive(Debug)]
pub struct NewOrderRequest {
    /// Who.
    pub customer: Customer,
    /// What.
    pub lines: Vec<Line>,
    /// Set if the client may send the same request again.
    pub idempotency: Option<Idempotency>,
    /// The HTTP request that all of the order's messages follow from.
    pub cause: Cause,
}

/// Why there is no order.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The order has no price.
    #[error(transparent)]
    NoPrice(#[from] PriceError),
    /// The `Idempotency-Key` belongs to another request.
    #[error("was used for another request")]
    KeyReused,
    /// No product is known yet.
    #[error("the price list has not arrived yet")]
    NoPriceList,
    /// Too many messages of earlier orders wait for a broker.
    #[error("earlier orders have to go on first")]
    Backlog,
    /// Too many requests are waiting already, or this one has waited for too long.
    #[error("too many orders arrive at once; this one was not placed")]
    Overloaded,
    /// The database does not answer, and nothing was stored.
    #[error("orders cannot be stored right now; this one was not placed")]
    Unavailable,
    /// The database did not answer in time to the commit, so the order exists or does not.
    #[error("the order may have been placed; {}", how_to_find_out(*.repeatable))]
    Uncertain {
        /// Whether the request has an `Idempotency-Key`.
        repeatable: bool,
    },
}

fn how_to_find_out(repeatable: bool) -> &'static str {
    if repeatable {
        "ask again with the same Idempotency-Key"
    } else {
        "look for it before asking again, and send an Idempotency-Key to be safe"
    }
}

/// Takes requests in. Clones feed the same writers, which end when the last clone is dropped.
#[derive(Clone)]
pub struct Intake {
    bus: Bus,
    waiting: mpsc::Sender<Waiting>,
}

impl Intake {
    /// The intake and the writers behind it, which someone has to run.
    #[must_use]
    pub fn new(
        bus: &Bus,
    ) -> (
        Self,
        Vec<impl Future<Output = anyhow::Result<()>> + Send + use<>>,
    ) {
        let (sender, receiver) = mpsc::channel(WAITING);
        let pace = Pace::default();
        let queue = Arc::new(Mutex::new(Queue { receiver, pace }));
        let prices = Arc::new(Prices::default());
        let writers = (0..WRITERS)
            .map(|_| write::write(bus.clone(), Arc::clone(&queue), Arc::clone(&prices)))
            .collect();
        let intake = Self {
            bus: bus.clone(),
            waiting: sender,
        };
        (intake, writers)
    }

    /// Places an order; it is durable once this has returned.
    ///
    /// Answers at the latest shortly before `deadline`. Every refusal but [`Refusal::Uncertain`] means
    /// that there is no order and that none will come of this request: whoever stops waiting, also by
    /// dropping this future, takes a request back that no writer has taken.
    ///
    /// # Errors
    ///
    /// Why the order was not placed, or that nobody knows.
    pub async fn place(
        &self,
        request: NewOrderRequest,
        deadline: Instant,
    ) -> Result<Order, Refusal> {
        if self.bus.is_overloaded() {
            return Err(Refusal::Backlog);
        }
        let repeatable = request.idempotency.is_some();
        let (answer, answered) = oneshot::channel();
        let ticket = Ticket::new(request);
        self.waiting
            .try_send(Waiting {
                ticket: ticket.clone(),
                deadline,
                answer,
            })
            .map_err(|_| Refusal::Overloaded)?;
        let taken_back = ticket.take_back_on_drop();
        match timeout_at(limits::of_waiting(deadline).into(), answered).await {
            Ok(Ok(outcome)) => outcome,
            // Either no writer has begun, and none will, or its commit may still succeed.
            _ if taken_back.now() => Err(Refusal::Overloaded),
            _ => Err(Refusal::Uncertain { repeatable }),
        }
    }
}
