//! What the service does with messages.

use contracts::{OrderEvent, SendNotification};
use messaging::crash_point::{self, CrashPoint};
use messaging::{BatchHandler, Failure, Received, Tx};
use tracing::info;
use uuid::Uuid;

mod send_email;

pub use send_email::SendEmail;

use crate::domain::channels;
use crate::provider::Provider;
use crate::store::{self, NewNotification};

/// Decides whom to tell about the events of orders, and gives each channel its tasks.
pub struct NotifyCustomers;

impl BatchHandler for NotifyCustomers {
    type Message = OrderEvent;

    async fn handle_batch(
        &self,
        tx: &mut Tx,
        batch: &[Received<OrderEvent>],
    ) -> Result<(), Failure> {
        let Some(first) = batch.first() else {
            return Ok(());
        };
        let planned: Vec<_> = batch.iter().flat_map(plan).collect();
        let new: Vec<_> = planned.iter().map(|(_, new)| new.clone()).collect();
        let inserted = store::insert(tx, &new).await?;
        for (received, new) in planned {
            if inserted.contains(&new.id) {
                tx.publish(&received.cause, &task(&received.body, &new));
            }
        }
        info!(
            order_id = %first.body.order().id,
            trace_id = first.cause.trace_id(),
            count = inserted.len(),
            "queued notifications about {} events",
            batch.len()
        );
        Ok(())
    }
}

/// Delivers the tasks of a channel whose provider bears repetition. One without its notification is rejected, since nobody could ever
/// tell that it was delivered.
///
/// Nothing here asks whether a task was delivered before: that is what the inbox is for. But delivering
/// and committing are two things: when the process dies between them, the provider gets the
/// notification again, under the same reference.
pub struct Deliver<P>(pub P);

impl<P: Provider> BatchHandler for Deliver<P> {
    type Message = SendNotification;

    async fn handle_batch(
        &self,
        tx: &mut Tx,
        batch: &[Received<SendNotification>],
    ) -> Result<(), Failure> {
        let ids: Vec<_> = batch
            .iter()
            .map(|received| received.body.notification_id)
            .collect();
        let existing = store::existing(tx, &ids).await?;
        // Before anything is delivered: what shares a transaction with a failure is delivered twice.
        if let Some(id) = ids.iter().find(|id| !existing.contains(id)) {
            return Err(Failure::reject(format!("there is no notification {id}")));
        }
        let mut sent = Vec::with_capacity(batch.len());
        for Received {
            body: task, cause, ..
        } in batch
        {
            let reference = self.0.deliver(task, cause).await?;
            crash_point::reach(CrashPoint::ProviderAccepted);
            sent.push((task.notification_id, reference));
        }
        store::mark_sent(tx, &sent).await?;
        if let Some(first) = batch.first() {
            let (channel, trace_id) = (first.body.channel.as_str(), first.cause.trace_id());
            info!(order_id = %first.body.order.id, trace_id, count = sent.len(), "delivered by {channel}");
        }
        Ok(())
    }
}

/// The notifications about one event.
fn plan(
    received: &Received<OrderEvent>,
) -> impl Iterator<Item = (&Received<OrderEvent>, NewNotification)> {
    let event = &received.body;
    channels(event).map(move |(channel, recipient)| {
        let new = NewNotification {
            id: Uuid::now_v7(),
            order_id: event.order().id,
            event: event.name(),
            channel,
            recipient: recipient.to_owned(),
        };
        (received, new)
    })
}

fn task(event: &OrderEvent, new: &NewNotification) -> SendNotification {
    SendNotification {
        notification_id: new.id,
        channel: new.channel,
        event: new.event,
        order: event.order().clone(),
        reason: event.reason().map(str::to_owned),
    }
}
