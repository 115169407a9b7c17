use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use anyhow::anyhow;
use futures::FutureExt;
use tokio::time::{Instant, timeout};

use super::ending::TRANSACTION_LIMIT;
use super::{EffectRunner, Hold};
use crate::claims::{self, Claim, Verdict};
use crate::consume::outage::is_outage_alone;
use crate::consume::runner::{Outcome, Pending};
use crate::handler::{EffectHandler, Failure, Tx};
use crate::inbox;

/// What a claim came to.
pub(super) enum Claimed {
    Granted(Claim),
    /// Nothing is left to do.
    Settled(Outcome),
}

impl<H: EffectHandler> EffectRunner<H> {
    /// A short transaction that says to all others: this process does it.
    pub(super) async fn claim(&self, pending: &Pending<H::Message>) -> Result<Claimed, Hold> {
        let claiming = AssertUnwindSafe(self.claim_within_limit(pending)).catch_unwind();
        match timeout(TRANSACTION_LIMIT, claiming).await {
            Ok(Ok(claimed)) => claimed,
            Ok(Err(_)) => {
                let panicked = Failure::retry(anyhow!("the handler panicked"));
                Ok(Claimed::Settled(Outcome::Failed(panicked)))
            }
            Err(elapsed) => Err(Hold::Outage(Failure::unavailable(elapsed))),
        }
    }

    async fn claim_within_limit(&self, pending: &Pending<H::Message>) -> Result<Claimed, Hold> {
        let received = &pending.received;
        let key = (self.name, received.id);
        let since = Instant::now();
        let mut tx = Tx::begin(&self.consuming.sessions, &self.consuming.handovers).await?;
        match claims::claim(&mut tx, &self.pulse, key, pending.doubt).await? {
            Verdict::Granted => {}
            Verdict::Held => return Err(Hold::Others),
            Verdict::Doubtful(doubt) => return Ok(Claimed::Settled(doubt.into())),
        }
        // After the claim: whoever had it before has committed by now.
        if inbox::has(&mut tx, self.name, received.id).await? {
            self.consuming.metrics.duplicates(self.name, 1);
            tx.rollback().await?;
            return Ok(Claimed::Settled(Outcome::Duplicate));
        }
        match self.handler.prepare(&mut tx, received).await {
            Ok(()) => {}
            Err(failure) if is_outage_alone(&failure) => return Err(Hold::Outage(failure)),
            Err(failure) => {
                // Nothing is claimed by this attempt, and what an earlier one has claimed is given up.
                tx.rollback().await?;
                self.release(received.id).await?;
                return Ok(Claimed::Settled(Outcome::Failed(failure)));
            }
        }
        tx.commit().await?;
        Ok(Claimed::Granted(Claim::new(Arc::clone(&self.pulse), since)))
    }
}
