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

use super::metrics::ConsumeMetrics;
use super::outage::{is_outage, may_succeed_one_by_one};
use crate::backoff::Backoff;
use crate::faults::crash_point::{self, CrashPoint};
use crate::handler::{BatchHandler, Failure, Received, Tx};
use crate::inbox;
use crate::outbox::Wake;

/// Limit for one transaction. The database limits each statement and each idle moment; this is for
/// a database that has stopped answering at all.
const TRANSACTION_LIMIT: Duration = Duration::from_secs(10);

/// Runs batches of messages through a handler; the same for both brokers.
pub(crate) struct BatchRunner<H> {
    pub(crate) pool: PgPool,
    pub(crate) wake: Arc<Wake>,
    pub(crate) metrics: Arc<ConsumeMetrics>,
    pub(crate) name: &'static str,
    pub(crate) handler: H,
}

/// What became of a message.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Handled and committed, now or earlier.
    Done,
    /// Not handled: it needs another attempt, or none.
    Failed(Failure),
    /// Not tried, because an earlier message of its partition has to be tried again first.
    Behind,
}

impl Outcome {
    pub(crate) fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            Self::Done | Self::Behind => None,
        }
    }
}

/// A decoded message that waits to be handled, and where it has to keep its place.
pub(crate) struct Pending<M> {
    pub(crate) received: Received<M>,
    /// The partition of a topic; messages of a queue have no order to keep.
    pub(crate) partition: Option<i32>,
    /// The broker has delivered it before.
    pub(crate) again: bool,
}

/// The stop came first: nothing of the batch is settled, and all of it is delivered again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped;

impl<H: BatchHandler> BatchRunner<H> {
    /// Handles a batch and answers for each message. While the database or anything else that the
    /// handler needs is away this waits, with the messages unsettled, and only a stop ends it.
    pub(crate) async fn run(
        &self,
        batch: &[Pending<H::Message>],
        token: &CancellationToken,
    ) -> Result<Vec<Outcome>, Stopped> {
        let handler = self.name;
        let mut backoff = Backoff::default();
        loop {
            match self.attempt(batch).await {
                Ok(outcomes) => return Ok(outcomes),
                Err(outage) => {
                    let error = outage.to_string();
                    warn!(
                        handler,
                        error, "handler {handler} cannot handle anything, holding its messages"
                    );
                    let pause = tokio::time::sleep(backoff.next_pause());
                    token.run_until_cancelled(pause).await.ok_or(Stopped)?;
                }
            }
        }
    }

    /// All at once, and if that fails one by one.
    async fn attempt(&self, batch: &[Pending<H::Message>]) -> Result<Vec<Outcome>, Failure> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let all: Vec<_> = batch.iter().map(|item| &item.received).collect();
        match self.transact_guarded(&all).await {
            Ok(()) => return Ok(batch.iter().map(|_| Outcome::Done).collect()),
            Err(failure) if may_succeed_one_by_one(&failure, batch.len()) => {}
            Err(failure) if is_outage(&failure) => return Err(failure),
            Err(failure) => return Ok(vec![Outcome::Failed(failure)]),
        }
        let mut blocked = HashSet::new();
        let mut outcomes = Vec::with_capacity(batch.len());
        for item in batch {
            if item
                .partition
                .is_some_and(|partition| blocked.contains(&partition))
            {
                outcomes.push(Outcome::Behind);
                continue;
            }
            outcomes.push(match self.transact_guarded(&[&item.received]).await {
                Ok(()) => Outcome::Done,
                Err(failure) if is_outage(&failure) => return Err(failure),
                Err(failure) => {
                    if matches!(failure, Failure::Retry(_)) {
                        blocked.extend(item.partition);
                    }
                    Outcome::Failed(failure)
                }
            });
        }
        Ok(outcomes)
    }

    /// The same within a limit. A handler that panics has failed, and nothing more: its transaction
    /// is rolled back, and a message that always does it must not end the process again and again.
    async fn transact_guarded(&self, batch: &[&Received<H::Message>]) -> Result<(), Failure> {
        let transaction = AssertUnwindSafe(self.transact(batch)).catch_unwind();
        match timeout(TRANSACTION_LIMIT, transaction).await {
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
