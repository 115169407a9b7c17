use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::topology::NOTIFICATIONS;
use crate::{Message, Order, OrderEventName, Route};

/// A way to reach a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Over SMTP.
    Email,
    /// Text message, for customers of tier `vip`.
    Sms,
    /// Push message to the customer's devices.
    Push,
}

impl Channel {
    /// The name in routing keys and databases.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Push => "push",
        }
    }
}

/// Tell one customer about one event of their order over one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct SendNotification {
    /// Id of the notification, from which the `Message-ID` of an e-mail is made.
    #[garde(skip)]
    pub notification_id: Uuid,
    /// How to reach the customer.
    #[garde(skip)]
    pub channel: Channel,
    /// What happened.
    #[garde(skip)]
    pub event: OrderEventName,
    /// The order after that event.
    #[garde(dive)]
    pub order: Order,
    /// Why an order was rejected or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub reason: Option<String>,
}

impl Message for SendNotification {
    const TYPE: &'static str = "spillway.send-notification.v1";

    fn route(&self) -> Route {
        let channel = self.channel.as_str();
        let event = self.event.as_str();
        let tier = self.order.customer.tier.as_str();
        Route::Exchange {
            exchange: NOTIFICATIONS,
            routing_key: format!("{channel}.{event}.{tier}").into(),
        }
    }

    fn ordering_key(&self) -> String {
        self.order.id.to_string()
    }
}
