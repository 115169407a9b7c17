use std::future::Future;

use contracts::Inbound;
use tokio_util::sync::CancellationToken;

use super::runner::{BatchRunner, Outcome, Pending, Stopped};
use crate::handler::BatchHandler;

/// Runs messages through a handler, whatever form that has.
pub(crate) trait Run: Send + Sync + 'static {
    type Message: Inbound;

    /// The name of the handler: the key of its entries in the inbox.
    fn name(&self) -> &'static str;

    /// Handles a batch and answers for each message. While the database or anything else that the
    /// handler needs is away this waits, with the messages unsettled, and only a stop or a pause ends it.
    fn run(
        &self,
        batch: &[Pending<Self::Message>],
        token: &CancellationToken,
    ) -> impl Future<Output = Result<Vec<Outcome>, Stopped>> + Send;
}

impl<H: BatchHandler> Run for BatchRunner<H> {
    type Message = H::Message;

    fn name(&self) -> &'static str {
        self.name
    }

    async fn run(
        &self,
        batch: &[Pending<H::Message>],
        token: &CancellationToken,
    ) -> Result<Vec<Outcome>, Stopped> {
        // The method of the same name, not this one.
        BatchRunner::run(self, batch, token).await
    }
}
