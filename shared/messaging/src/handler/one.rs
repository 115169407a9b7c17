use std::future::Future;

use contracts::Inbound;

use super::batch::BatchHandler;
use super::failure::Failure;
use super::received::Received;
use super::tx::Tx;

/// Handles messages one by one.
///
/// The effect of the handler, its inbox entry and what it publishes commit together or not at
/// all. It may be called again for a message whose transaction did not commit, so anything that
/// it does outside the transaction has to bear repetition.
pub trait Handler: Send + Sync + 'static {
    /// What the queue or topic carries.
    type Message: Inbound;

    /// Handles one message that has not been handled before.
    fn handle(
        &self,
        tx: &mut Tx,
        message: &Received<Self::Message>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

impl<H: Handler> BatchHandler for H {
    type Message = H::Message;

    async fn handle_batch(
        &self,
        tx: &mut Tx,
        batch: &[Received<Self::Message>],
    ) -> Result<(), Failure> {
        for message in batch {
            self.handle(tx, message).await?;
        }
        Ok(())
    }
}
