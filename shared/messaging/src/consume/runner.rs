use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use database::Sessions;
use futures::FutureExt;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::holds::{Hold, Holds};
use super::metrics::ConsumeMetrics;
use super::outage::{Blames, Evidence, blames, may_succeed_one_by_one};
use crate::backoff::Backoff;
use crate::controls::Controls;
use crate::faults::crash_point::{self, CrashPoint};
use crate::handler::{BatchHandler, Failure, Received, Tx};
use crate::outbox::{Handovers, Pressure};

/// Limit for one transaction. The database limits each statement and each idle moment; this is for
/// a database that has stopped answering at all.
const TRANSACTION_LIMIT: Duration = Duration::from_secs(10);

/// Runs batches of messages through a handler; the same for both brokers.
pub(crate) struct BatchRunner<H> {
    pub(crate) sessions: Sessions,
    pub(crate) handovers: Arc<Handovers>,
    pub(crate) pressure: Arc<Pressure>,
    pub(crate) metrics: Arc<ConsumeMetrics>,
    pub(crate) holds: Arc<Holds>,
    pub(crate) controls: Arc<Controls>,
    /// The queue or topic that the messages come from.
    pub(crate) destination: &'static str,
    pub(crate) name: &'static str,
    /// A message that comes again changes nothing, so the inbox is not asked.
    pub(crate) repeatable: bool,
    pub(crate) handler: H,
}

/// What became of a message.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Handled and committed.
    Done,
    /// Recognised: it was handled and committed earlier, and this delivery has no effect.
    Duplicate,
    /// Not handled: it needs another attempt, or none.
    Failed(Failure),
    /// Nobody knows whether it was handled, and this is the id of that doubt.
    Doubtful(Failure, Uuid),
    /// Not tried, because an earlier message of its partition has to be tried again first.
    Behind,
}

impl Outcome {
    fn is_new(&self) -> bool {
        matches!(self, Self::Done)
    }

    pub(crate) fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) | Self::Doubtful(failure, _) => Some(failure),
            Self::Done | Self::Duplicate | Self::Behind => None,
        }
    }
}

/// A decoded message that waits to be handled, and where it has to keep its place.
pub(crate) struct Pending<M> {
    pub(crate) received: Received<M>,
    /// The partition of a topic; messages of a queue have no order to keep.
    pub(crate) partition: Option<i32>,
    /// The doubt of which whoever has sent it was told.
    pub(crate) doubt: Option<Uuid>,
    /// How many attempts to handle it have failed.
    pub(crate) failed_before: u32,
}

/// The stop came first, or a pause that was asked for: nothing of the batch is settled, and all of it is
/// delivered again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped;

impl<H: BatchHandler> BatchRunner<H> {
    /// Handles a batch and answers for each message. While the database or anything else that the
    /// handler needs is away this waits, with the messages unsettled, and only a stop or a pause ends it.
    pub(crate) async fn run(
        &self,
        batch: &[Pending<H::Message>],
        token: &CancellationToken,
    ) -> Result<Vec<Outcome>, Stopped> {
        let mut backoff = Backoff::default();
        let mut hold: Option<Hold> = None;
        loop {
            let held_for = hold.as_ref().map_or(Duration::ZERO, Hold::held_for);
            let outage = match self.attempt(batch, held_for).await {
                Ok(outcomes) => return Ok(outcomes),
                Err(outage) => outage,
            };
            match &hold {
                Some(hold) => hold.still(&outage),
                None => {
                    let held = Hold::new(&self.holds, self.destination, batch.len(), &outage);
                    hold = Some(held);
                }
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.next_pause()) => {}
                () = self.controls.until_paused() => return Err(Stopped),
                () = token.cancelled() => return Err(Stopped),
            }
        }
    }

    /// All at once, and if that fails one by one. The error is an outage.
    async fn attempt(
        &self,
        batch: &[Pending<H::Message>],
        held_for: Duration,
    ) -> Result<Vec<Outcome>, Failure> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let all: Vec<_> = batch.iter().map(|item| &item.received).collect();
        match self.transact_guarded(&all).await {
            Ok(outcomes) => return Ok(outcomes),
            Err(failure) if may_succeed_one_by_one(&failure, batch.len()) => {}
            Err(failure) if batch.len() > 1 => return Err(failure),
            Err(failure) => {
                let mut evidence = Evidence::default();
                evidence.failed(&failure);
                return match evidence.is_outage(held_for) {
                    true => Err(failure),
                    false => Ok(vec![Outcome::Failed(failure)]),
                };
            }
        }
        self.one_by_one(batch, held_for).await
    }

    async fn one_by_one(
        &self,
        batch: &[Pending<H::Message>],
        held_for: Duration,
    ) -> Result<Vec<Outcome>, Failure> {
        let mut blocked = HashSet::new();
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut evidence = Evidence::default();
        for item in batch {
            if item
                .partition
                .is_some_and(|partition| blocked.contains(&partition))
            {
                outcomes.push(Outcome::Behind);
                continue;
            }
            match self.transact_guarded(&[&item.received]).await {
                Ok(handled) => {
                    // A duplicate says nothing about the handler.
                    if handled.iter().any(Outcome::is_new) {
                        evidence.handled();
                    }
                    outcomes.extend(handled);
                }
                Err(failure) if blames(&failure) == Blames::Outage => return Err(failure),
                Err(failure) => {
                    evidence.failed(&failure);
                    if evidence.is_clear() {
                        return Err(failure);
                    }
                    if matches!(failure, Failure::Retry(_)) {
                        blocked.extend(item.partition);
                    }
                    outcomes.push(Outcome::Failed(failure));
                }
            }
        }
        if evidence.is_outage(held_for) {
            let failure = outcomes.into_iter().find_map(|outcome| match outcome {
                Outcome::Failed(failure) | Outcome::Doubtful(failure, _) => Some(failure),
                Outcome::Done | Outcome::Duplicate | Outcome::Behind => None,
            });
            return Err(failure.unwrap_or_else(|| Failure::unavailable(anyhow!("an outage"))));
        }
        Ok(outcomes)
    }

    /// The same within a limit. A handler that panics has failed, and nothing more: its transaction
    /// is rolled back, and a message that always does it must not end the process again and again.
    async fn transact_guarded(
        &self,
        batch: &[&Received<H::Message>],
    ) -> Result<Vec<Outcome>, Failure> {
        // On the heap, or the future of every consumer would be too deeply nested for the compiler.
        let transaction = AssertUnwindSafe(Box::pin(self.transact(batch))).catch_unwind();
        match timeout(TRANSACTION_LIMIT, transaction).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Failure::retry(anyhow!("the handler panicked"))),
            Err(elapsed) => Err(Failure::unavailable(elapsed)),
        }
    }

    /// One transaction: inbox, handler, outbox. Only what the handler asks of the database may speak
    /// about the message. Answers for each message whether it was new.
    async fn transact(&self, batch: &[&Received<H::Message>]) -> Result<Vec<Outcome>, Failure> {
        let (mut tx, outcomes) = match self.repeatable {
            true => {
                let tx = Tx::begin(&self.sessions, &self.handovers).await;
                let outcomes = batch.iter().map(|_| Outcome::Done).collect();
                (tx.map_err(Failure::unavailable)?, outcomes)
            }
            false => self.claim(batch).await.map_err(Failure::unavailable)?,
        };
        let new = batch.iter().zip(&outcomes);
        let new = new.filter(|(_, outcome)| outcome.is_new());
        let new: Vec<_> = new.map(|(&message, _)| message.clone()).collect();
        if new.is_empty() {
            tx.rollback().await.map_err(Failure::unavailable)?;
            return Ok(outcomes);
        }
        self.handler.handle_batch(&mut tx, &new).await?;
        crash_point::reach(CrashPoint::Handled);
        // Whoever publishes nothing goes on, and empties the queues for which others fill the outbox.
        if tx.publishes() && self.pressure.is_full() {
            return Err(Failure::unavailable(anyhow!("the outbox is full")));
        }
        tx.write_outbox().await?;
        tx.commit().await.map_err(Failure::unavailable)?;
        Ok(outcomes)
    }
}
