use std::{sync::Arc, time::Instant};

use messaging::{Bus, Pace};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    time::timeout_at,
};
use tracing::error;

use super::{BATCH, NewOrderRequest, Prices, Refusal, Waiting, limits, place::place};
use crate::domain::Order;

type Answer = oneshot::Sender<Result<Order, Refusal>>;

/// What waits for the writers. One of them takes a batch of it at a time, in a pace that they keep together.
pub(super) struct Queue {
    pub(super) receiver: mpsc::Receiver<Waiting>,
    pub(super) pace: Pace,
}

impl Queue {
    /// The next batch; an empty one when nobody can send anything any more.
    async fn take(&mut self) -> Vec<Waiting> {
        self.pace.wait().await;
        let mut batch = Vec::with_capacity(BATCH);
        let count = self.receiver.recv_many(&mut batch, BATCH).await;
        self.pace.took(count, BATCH);
        batch
    }
}

/// Places what waits, batch after batch, until nobody can send anything any more.
pub(super) async fn write(
    bus: Bus,
    queue: Arc<Mutex<Queue>>,
    prices: Arc<Prices>,
) -> anyhow::Result<()> {
    loop {
        let batch = queue.lock().await.take().await;
        if batch.is_empty() {
            return Ok(());
        }
        let (requests, answers, limit) = begin(batch);
        if requests.is_empty() {
            continue;
        }
        let outcomes = place_until(limit, &bus, &prices, requests).await;
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // The client may have gone away; its order stands.
            answer.send(outcome).ok();
        }
    }
}

/// Takes the requests whose clients still wait and can be answered in time. From here on nobody can take
/// them back.
fn begin(batch: Vec<Waiting>) -> (Vec<NewOrderRequest>, Vec<Answer>, Instant) {
    let now = Instant::now();
    let mut requests = Vec::with_capacity(batch.len());
    let mut answers = Vec::with_capacity(batch.len());
    let mut deadlines = Vec::with_capacity(batch.len());
    for waiting in batch {
        let Some(request) = waiting.ticket.take() else {
            continue;
        };
        if limits::is_worth_beginning(waiting.deadline, now) {
            requests.push(request);
            answers.push(waiting.answer);
            deadlines.push(waiting.deadline);
        } else {
            waiting.answer.send(Err(Refusal::Overloaded)).ok();
        }
    }
    let limit = limits::of_transaction(deadlines.into_iter(), now);
    (requests, answers, limit)
}

/// Places the orders, or says of all of them that they do not exist, or that nobody knows.
async fn place_until(
    limit: Instant,
    bus: &Bus,
    prices: &Prices,
    requests: Vec<NewOrderRequest>,
) -> Vec<Result<Order, Refusal>> {
    let repeatable: Vec<bool> = requests.iter().map(|r| r.idempotency.is_some()).collect();
    let mut committing = false;
    let placed = timeout_at(limit.into(), place(bus, prices, requests, &mut committing)).await;
    let error = match placed {
        Ok(Ok(outcomes)) => return outcomes,
        Ok(Err(error)) => error,
        Err(elapsed) => elapsed.into(),
    };
    let count = repeatable.len();
    error!(
        error = format!("{error:#}"),
        count, committing, "{count} orders could not be stored"
    );
    let refusal = |repeatable| match committing {
        true => Err(Refusal::Uncertain { repeatable }),
        false => Err(Refusal::Unavailable),
    };
    repeatable.into_iter().map(refusal).collect()
}
