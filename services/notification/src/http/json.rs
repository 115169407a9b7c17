//! What the API answers.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::store;

/// One message to a customer over one channel, delivered or about to be.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Notification {
    /// Id of the notification. The `Message-ID` of an e-mail contains it.
    id: Uuid,
    /// Id of the order.
    order_id: Uuid,
    /// Event of the order that the notification is about.
    #[schema(example = "order-confirmed")]
    event: String,
    /// `email`, `sms` or `push`.
    #[schema(example = "email")]
    channel: String,
    /// E-mail address or phone number of the customer.
    #[schema(example = "ada@example.com")]
    recipient: String,
    /// `queued` or `sent`.
    #[schema(example = "sent")]
    status: String,
    /// When the notification was queued.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When the provider accepted it; null until then.
    #[schema(value_type = Option<String>, format = DateTime)]
    sent_at: Option<Timestamp>,
    /// Reference of the provider; null until it has accepted the notification.
    reference: Option<String>,
}

impl From<store::Notification> for Notification {
    fn from(notification: store::Notification) -> Self {
        let store::Notification {
            id,
            order_id,
            event,
            channel,
            recipient,
            status,
            created_at,
            sent_at,
            reference,
        } = notification;
        Self {
            id,
            order_id,
            event,
            channel,
            recipient,
            status,
            created_at,
            sent_at,
            reference,
        }
    }
}
