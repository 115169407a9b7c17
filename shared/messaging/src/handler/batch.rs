use std::future::Future;
use std::sync::Arc;

use contracts::Inbound;

use super::failure::Failure;
use super::received::Received;
use super::tx::Tx;

/// Handles many messages in one transaction, for hot paths.
///
/// When it fails, the batch is rolled back and its messages are handled one by one, each in a
/// transaction of its own: a message that can never succeed does not fail its neighbours.
pub trait BatchHandler: Send + Sync + 'static {
    /// What the queue or topic carries.
    type Message: Inbound;

    /// Handles messages that have not been handled before, in the order in which they arrived.
    fn handle_batch(
        &self,
        tx: &mut Tx,
        batch: &[Received<Self::Message>],
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

impl<H: BatchHandler> BatchHandler for Arc<H> {
    type Message = H::Message;

    async fn handle_batch(
        &self,
        tx: &mut Tx,
        batch: &[Received<H::Message>],
    ) -> Result<(), Failure> {
        H::handle_batch(self, tx, batch).await
    }
}
