mod ending;
mod starting;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use futures::FutureExt;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

use self::ending::Ending;
use self::starting::Claimed;
use super::alone::Alone;
use super::consuming::Consuming;
use super::run::Run;
use super::runner::{Outcome, Pending, Stopped};
use crate::backoff::Backoff;
use crate::claims::{Claim, Doubt, Pulse};
use crate::faults::crash_point::{self, CrashPoint};
use crate::handler::{EffectHandler, Failure, NotPerformed, Received};

/// How long to wait before asking again for a message that somebody else handles.
const HELD_PAUSE: Duration = Duration::from_millis(250);
/// How long a stopping process waits for an effect that has begun. The rest of its time is for noting
/// that nobody knows how it ended.
const STOP_PAUSE: Duration = Duration::from_secs(5);

/// Runs messages through a handler whose effect cannot be taken back: claim, effect, record, each
/// after the one before is certain.
pub(crate) struct EffectRunner<H> {
    pub(crate) consuming: Consuming,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) name: &'static str,
    pub(crate) handler: H,
    alone: Alone,
}

/// Why a message waits.
enum Hold {
    /// Somebody else handles it.
    Others,
    /// Something that the handler needs is away.
    Outage(Failure),
}

impl From<sqlx::Error> for Hold {
    fn from(error: sqlx::Error) -> Self {
        Self::Outage(error.into())
    }
}

impl From<Doubt> for Outcome {
    fn from(Doubt { id, reason }: Doubt) -> Self {
        Self::Doubtful(Failure::Reject(reason), id)
    }
}

impl<H: EffectHandler> Run for EffectRunner<H> {
    type Message = H::Message;

    fn name(&self) -> &'static str {
        self.name
    }

    async fn run(
        &self,
        batch: &[Pending<H::Message>],
        token: &CancellationToken,
    ) -> Result<Vec<Outcome>, Stopped> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for pending in batch {
            outcomes.push(self.handle(pending, token).await?);
        }
        Ok(outcomes)
    }
}

impl<H: EffectHandler> EffectRunner<H> {
    pub(crate) fn new(consuming: Consuming, name: &'static str, handler: H) -> Self {
        Self {
            consuming,
            pulse: Pulse::new(),
            name,
            handler,
            alone: Alone::default(),
        }
    }

    /// Waits, with the message unsettled, while others handle it or something is away. A stop or a pause
    /// gives it back.
    async fn handle(
        &self,
        pending: &Pending<H::Message>,
        token: &CancellationToken,
    ) -> Result<Outcome, Stopped> {
        let (handler, id) = (self.name, pending.received.id);
        let mut backoff = Backoff::default();
        loop {
            let pause = match self.attempt(pending, token).await {
                Ok(outcome) => return Ok(outcome),
                Err(Hold::Others) => HELD_PAUSE,
                Err(Hold::Outage(outage)) => {
                    let error = outage.to_string();
                    warn!(
                        handler,
                        message_id = %id,
                        error,
                        "handler {handler} cannot handle message {id}, holding it"
                    );
                    backoff.next_pause()
                }
            };
            let waited = token.run_until_cancelled(sleep(pause)).await;
            let is_stopping = waited.is_none();
            if is_stopping || self.consuming.controls.is_paused() {
                let lets_go = self.lets_go_of(id).await;
                // If a process that stops keeps its claim, others find out by themselves that it is gone.
                if is_stopping || lets_go {
                    return Err(Stopped);
                }
            }
        }
    }

    /// Gives up the claim, unless another worker of this process has the message: that one may be in the middle of the
    /// effect. Answers whether others may have it: not while this process, if it lives on, may have its claim.
    async fn lets_go_of(&self, id: Uuid) -> bool {
        let Some(_place) = self.alone.with(id) else {
            return true;
        };
        matches!(timeout(HELD_PAUSE, self.release(id)).await, Ok(Ok(())))
    }

    async fn attempt(
        &self,
        pending: &Pending<H::Message>,
        token: &CancellationToken,
    ) -> Result<Outcome, Hold> {
        if let Some(refusal) = self.consuming.controls.refusal_of_effects() {
            return Err(Hold::Outage(refusal));
        }
        let received = &pending.received;
        let _place = self.alone.with(received.id).ok_or(Hold::Others)?;
        let claim = match self.claim(pending).await? {
            Claimed::Granted(claim) => claim,
            Claimed::Settled(outcome) => return Ok(outcome),
        };
        crash_point::reach(CrashPoint::EffectClaimed);
        let lost = |lost| Hold::Outage(Failure::unavailable(lost));
        claim.check().map_err(lost)?;
        match self.perform(received, &claim, token).await {
            Ok(done) => {
                crash_point::reach(CrashPoint::ProviderAccepted);
                self.until_committed(received, Ending::Done(&done)).await;
                Ok(Outcome::Done)
            }
            Err(NotPerformed::Failed(Failure::Unavailable(error))) => {
                Err(Hold::Outage(Failure::Unavailable(error)))
            }
            Err(NotPerformed::Failed(failure)) => {
                // The message goes on to whoever is delivered it next.
                let released = self.until_committed(received, Ending::Nothing);
                token.run_until_cancelled(released).await;
                Ok(Outcome::Failed(failure))
            }
            Err(NotPerformed::Unknown(reason)) => {
                let doubt = Doubt {
                    id: Uuid::now_v7(),
                    reason: format!("may have taken effect: {reason}"),
                };
                self.until_committed(received, Ending::Doubt(&doubt)).await;
                Ok(doubt.into())
            }
        }
    }

    /// The effect, in no transaction. A stop waits for it, but not for ever.
    async fn perform(
        &self,
        received: &Received<H::Message>,
        claim: &Claim,
        token: &CancellationToken,
    ) -> Result<H::Done, NotPerformed> {
        let performing = AssertUnwindSafe(self.handler.perform(received, claim)).catch_unwind();
        let late = async {
            token.cancelled().await;
            sleep(STOP_PAUSE).await;
        };
        let (how, failure) = tokio::select! {
            biased;
            performed = performing => match performed {
                Ok(result) => return result,
                Err(_) => {
                    let how = "the handler panicked";
                    (how, Failure::retry(anyhow!(how)))
                }
            },
            () = late => {
                let how = "the process was stopped before the effect ended";
                (how, Failure::unavailable(anyhow!(how)))
            }
        };
        Err(match claim.has_begun() {
            true => NotPerformed::Unknown(how.to_owned()),
            false => NotPerformed::Failed(failure),
        })
    }
}
