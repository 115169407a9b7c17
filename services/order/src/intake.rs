//! The way in for new orders: requests that arrive together share one transaction.
//!
//! A commit waits for the disk, so one transaction per request would limit the service to the pace
//! of the disk. A writer takes whatever waits and never waits for more: a lone request is not
//! delayed, and under load the batches grow by themselves.

use std::{sync::Arc, time::Duration};

use contracts::{Customer, Line};
use messaging::{Bus, Cause};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    time::timeout,
};
use tracing::error;

use crate::domain::{Order, PriceError};
use crate::store::Keyed;

mod place;
use place::place;

/// Requests that share a transaction at most.
const BATCH: usize = 200;
/// Requests that may wait; beyond that, more waiting would not help anyone.
const WAITING: usize = 5 * BATCH;
/// While one writer waits for its commit, another one fills the next transaction.
const WRITERS: usize = 2;
/// Less than the time that an HTTP request may take, so that the client gets an answer in any case.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// A wish to buy.
#[derive(Debug)]
pub struct Request {
    /// Who.
    pub customer: Customer,
    /// What.
    pub lines: Vec<Line>,
    /// Set if the client may send the same request again.
    pub keyed: Option<Keyed>,
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
    /// Too many requests are waiting already.
    #[error("too many orders arrive at once")]
    Overloaded,
    /// The database does not answer; the order may or may not exist.
    #[error("orders cannot be stored right now")]
    Unavailable,
}

/// Takes requests in. Clones feed the same writers, which end when the last clone is dropped.
#[derive(Clone)]
pub struct Intake {
    bus: Bus,
    waiting: mpsc::Sender<Waiting>,
}

struct Waiting {
    request: Request,
    answer: oneshot::Sender<Result<Order, Refusal>>,
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
        let receiver = Arc::new(Mutex::new(receiver));
        let writers = (0..WRITERS)
            .map(|_| write(bus.clone(), Arc::clone(&receiver)))
            .collect();
        let intake = Self {
            bus: bus.clone(),
            waiting: sender,
        };
        (intake, writers)
    }

    /// Places an order; it is durable once this has returned.
    ///
    /// A caller that goes away does not stop its order.
    pub async fn place(&self, request: Request) -> Result<Order, Refusal> {
        if self.bus.is_overloaded() {
            return Err(Refusal::Backlog);
        }
        let (answer, answered) = oneshot::channel();
        self.waiting
            .try_send(Waiting { request, answer })
            .map_err(|_| Refusal::Overloaded)?;
        answered.await.unwrap_or(Err(Refusal::Unavailable))
    }
}

async fn write(bus: Bus, receiver: Arc<Mutex<mpsc::Receiver<Waiting>>>) -> anyhow::Result<()> {
    loop {
        let mut batch = Vec::with_capacity(BATCH);
        if receiver.lock().await.recv_many(&mut batch, BATCH).await == 0 {
            return Ok(());
        }
        let (requests, answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|w| (w.request, w.answer)).unzip();
        let count = requests.len();
        let placed = match timeout(TIME_LIMIT, place(&bus, requests)).await {
            Ok(placed) => placed,
            Err(_) => Err(anyhow::anyhow!("no answer within {TIME_LIMIT:?}")),
        };
        let outcomes = placed.unwrap_or_else(|error| {
            error!(
                error = format!("{error:#}"),
                count, "orders could not be stored"
            );
            (0..count).map(|_| Err(Refusal::Unavailable)).collect()
        });
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // The client may have gone away; its order stands.
            answer.send(outcome).ok();
        }
    }
}
