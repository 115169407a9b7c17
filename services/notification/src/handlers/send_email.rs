use contracts::SendNotification;
use messaging::{Claim, EffectHandler, Failure, NotPerformed, Received, Tx};
use tracing::info;

use crate::provider::Smtp;
use crate::store;

/// Delivers the e-mail of one task. One without its notification is rejected, since nobody could ever
/// tell that it was delivered.
///
/// An e-mail cannot be called back, so it leaves outside of any transaction, and nobody sends it again
/// while it is unknown whether it left.
pub struct SendEmail(pub Smtp);

impl EffectHandler for SendEmail {
    type Message = SendNotification;
    /// The `Message-ID`.
    type Done = String;

    async fn prepare(
        &self,
        tx: &mut Tx,
        message: &Received<SendNotification>,
    ) -> Result<(), Failure> {
        let id = message.body.notification_id;
        if store::existing(tx, &[id]).await?.is_empty() {
            return Err(Failure::reject(format!("there is no notification {id}")));
        }
        Ok(())
    }

    async fn perform(
        &self,
        message: &Received<SendNotification>,
        claim: &Claim,
    ) -> Result<String, NotPerformed> {
        self.0.deliver(&message.body, &message.cause, claim).await
    }

    async fn record(
        &self,
        tx: &mut Tx,
        message: &Received<SendNotification>,
        message_id: &String,
    ) -> Result<(), Failure> {
        let task = &message.body;
        store::mark_sent(tx, &[(task.notification_id, message_id.clone())]).await?;
        let trace_id = message.cause.trace_id();
        info!(order_id = %task.order.id, trace_id, message_id, "delivered e-mail {message_id}");
        Ok(())
    }
}
