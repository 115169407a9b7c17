use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use futures::FutureExt;
use sqlx::PgPool;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::faults::crash_point::{self, CrashPoint};
use crate::metrics::Metrics;
use crate::outbox::Wake;
use crate::outbox::pauses;
use crate::{BatchHandler, Failure, Received, Tx, inbox};

/// Runs messages through a handler; the same for both brokers.
pub(crate) struct Processing<H> {
    pub(crate) pool: PgPool,
    pub(crate) wake: Arc<Wake>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) name: &'static str,
    pub(crate) handler: H,
}

/// Limit for one transaction. The database limits each statement and each idle moment; this is for
/// a database that has stopped answering at all.
const LIMIT: Duration = Duration::from_secs(10);

/// What became of a message.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Handled and committed, now or earlier.
    Done,
    /// Not handled: it needs another attempt, or none.
    Failed(Failure),
    /// Not tried, because an earlier message of its lane has to be tried again first.
    Held,
}

impl Outcome {
    pub(crate) fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            Self::Done | Self::Held => None,
        }
    }
}

/// A decoded message and the lane in which it has to keep its place.
pub(crate) struct Item<M> {
    pub(crate) received: Received<M>,
    /// The partition of a topic; messages of a queue have no order to keep.
    pub(crate) lane: Option<i32>,
}

impl<H: BatchHandler> Processing<H> {
    /// Handles a batch and answers for each message. While the database or anything else that the
    /// handler needs is away this waits, with the messages unsettled, and only a stop ends it:
    /// then it returns `None`.
    pub(crate) async fn run(
        &self,
        batch: &[Item<H::Message>],
        token: &CancellationToken,
    ) -> Option<Vec<Outcome>> {
        let mut backoff = pauses();
        loop {
            match self.attempt(batch).await {
                Ok(outcomes) => return Some(outcomes),
                Err(outage) => {
                    warn!(handler = self.name, error = %outage, "cannot handle anything, holding messages");
                    let pause = backoff.next().unwrap_or_default();
                    token.run_until_cancelled(tokio::time::sleep(pause)).await?;
                }
            }
        }
    }

    /// All at once, and if that fails one by one.
    async fn attempt(&self, batch: &[Item<H::Message>]) -> Result<Vec<Outcome>, Failure> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let all: Vec<_> = batch.iter().map(|item| &item.received).collect();
        let failure = match self.in_time(&all).await {
            Ok(()) => return Ok(batch.iter().map(|_| Outcome::Done).collect()),
            // What takes too long for all of them may be possible for each.
            Err(failure)
                if failure.is_outage() && !(failure.is_time_limit() && batch.len() > 1) =>
            {
                return Err(failure);
            }
            Err(failure) => failure,
        };
        if batch.len() == 1 {
            return Ok(vec![Outcome::Failed(failure)]);
        }
        let mut held = HashSet::new();
        let mut outcomes = Vec::with_capacity(batch.len());
        for item in batch {
            if item.lane.is_some_and(|lane| held.contains(&lane)) {
                outcomes.push(Outcome::Held);
                continue;
            }
            outcomes.push(match self.in_time(&[&item.received]).await {
                Ok(()) => Outcome::Done,
                Err(failure) if failure.is_outage() => return Err(failure),
                Err(failure) => {
                    if matches!(failure, Failure::Retry(_)) {
                        held.extend(item.lane);
                    }
                    Outcome::Failed(failure)
                }
            });
        }
        Ok(outcomes)
    }

    /// A handler that panics has failed, and nothing more: its transaction is rolled back, and a message
    /// that always does it must not end the process again and again.
    async fn in_time(&self, batch: &[&Received<H::Message>]) -> Result<(), Failure> {
        let transaction = AssertUnwindSafe(self.transact(batch)).catch_unwind();
        match timeout(LIMIT, transaction).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Failure::retry(anyhow!("the handler panicked"))),
            Err(elapsed) => Err(Failure::unavailable(elapsed)),
        }
    }

    /// One transaction: inbox, handler, outbox.
    async fn transact(&self, batch: &[&Received<H::Message>]) -> Result<(), Failure> {
        let mut tx = Tx::begin(&self.pool, &self.wake).await?;
        let ids = batch.iter().map(|message| message.id).collect();
        let mut new = inbox::claim(&mut tx, self.name, ids).await?;
        self.metrics.duplicates(self.name, batch.len() - new.len());
        // A message that stands in the batch twice is new only the first time.
        let new: Vec<_> = batch
            .iter()
            .filter(|message| new.remove(&message.id))
            .map(|&message| message.clone())
            .collect();
        if new.is_empty() {
            tx.rollback().await?;
            return Ok(());
        }
        self.handler.handle_batch(&mut tx, &new).await?;
        crash_point::reach(CrashPoint::Handled);
        tx.commit().await?;
        Ok(())
    }
}
