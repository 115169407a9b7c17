use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use tokio::time::{sleep, timeout};
use tracing::warn;
use uuid::Uuid;

use super::EffectRunner;
use crate::backoff::Backoff;
use crate::claims::{self, Doubt};
use crate::faults::crash_point::{self, CrashPoint};
use crate::handler::{EffectHandler, Failure, Received, Tx};
use crate::inbox;

/// Limit for one transaction, as for those of other handlers.
pub(super) const TRANSACTION_LIMIT: Duration = Duration::from_secs(10);

/// How an effect ended, which has to be written down.
pub(super) enum Ending<'a, D> {
    Done(&'a D),
    /// It did not take place.
    Nothing,
    /// Nobody can tell.
    Doubt(&'a Doubt),
}

impl<H: EffectHandler> EffectRunner<H> {
    /// Inbox entry, what the handler records, and the end of the claim.
    async fn record(&self, received: &Received<H::Message>, done: &H::Done) -> Result<(), Failure> {
        let mut tx = Tx::begin(&self.consuming.sessions, &self.consuming.handovers).await?;
        let new = inbox::claim(&mut tx, self.name, vec![received.id]).await?;
        if new.contains(&received.id) {
            self.handler.record(&mut tx, received, done).await?;
        }
        claims::settle(&mut tx, (self.name, received.id)).await?;
        crash_point::reach(CrashPoint::Handled);
        Ok(tx.commit().await?)
    }

    pub(super) async fn release(&self, id: Uuid) -> sqlx::Result<()> {
        let mut db = self.consuming.pool.acquire().await?;
        claims::release(&mut db, &self.pulse, (self.name, id)).await
    }

    async fn doubt(&self, id: Uuid, doubt: &Doubt) -> sqlx::Result<()> {
        let mut db = self.consuming.pool.acquire().await?;
        claims::doubt(&mut db, &self.pulse, (self.name, id), doubt).await
    }

    async fn write(
        &self,
        received: &Received<H::Message>,
        ending: &Ending<'_, H::Done>,
    ) -> Result<(), Failure> {
        match ending {
            Ending::Done(done) => self.record(received, done).await,
            Ending::Nothing => Ok(self.release(received.id).await?),
            Ending::Doubt(doubt) => Ok(self.doubt(received.id, doubt).await?),
        }
    }

    /// Again and again, whatever stands in the way: what happened cannot be undone, and if it were
    /// not written down it would happen again. A stop waits for this as long as it waits at all.
    pub(super) async fn until_committed(
        &self,
        received: &Received<H::Message>,
        ending: Ending<'_, H::Done>,
    ) {
        let id = received.id;
        let handler = self.name;
        let mut backoff = Backoff::default();
        loop {
            let writing = AssertUnwindSafe(self.write(received, &ending)).catch_unwind();
            let error = match timeout(TRANSACTION_LIMIT, writing).await {
                Ok(Ok(Ok(()))) => return,
                Ok(Ok(Err(failure))) => failure.to_string(),
                Ok(Err(_)) => "the handler panicked".to_owned(),
                Err(elapsed) => elapsed.to_string(),
            };
            warn!(
                handler,
                message_id = %id,
                error,
                "handler {handler} cannot record what became of message {id}, holding it"
            );
            sleep(backoff.next_pause()).await;
        }
    }
}
