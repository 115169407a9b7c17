use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::message::inbound;
use crate::topology::{ORDER_EVENTS, PAYMENT_DEADLINES};
use crate::{Customer, Message, Money, PricedLine, Route};

inbound! {
    /// What can be read from `order-events`.
    pub enum OrderEvent { OrderPlaced, OrderConfirmed, OrderRejected, OrderPaid, OrderCancelled }
}

/// The order as it was after the event. Facts carry their state, so that no reader has to ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct Order {
    /// Id of the order.
    #[garde(skip)]
    pub id: Uuid,
    /// 1 when placed, one more with every event: a reader can tell a gap from a repetition.
    #[garde(range(min = 1))]
    pub version: i32,
    /// Whom it belongs to.
    #[garde(dive)]
    pub customer: Customer,
    /// What was ordered, at the prices of that moment.
    #[garde(length(min = 1), dive)]
    pub lines: Vec<PricedLine>,
    /// Sum of the lines.
    #[garde(dive)]
    pub total: Money,
}

/// Which of the [`OrderEvent`]s, without its content: part of routing keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the name of the message it stands for")]
pub enum OrderEventName {
    OrderPlaced,
    OrderConfirmed,
    OrderRejected,
    OrderPaid,
    OrderCancelled,
}

impl OrderEventName {
    /// The name in routing keys and databases.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OrderPlaced => "order-placed",
            Self::OrderConfirmed => "order-confirmed",
            Self::OrderRejected => "order-rejected",
            Self::OrderPaid => "order-paid",
            Self::OrderCancelled => "order-cancelled",
        }
    }
}

impl OrderEvent {
    /// The order that the event is about.
    #[must_use]
    pub fn order(&self) -> &Order {
        match self {
            Self::OrderPlaced(event) => &event.order,
            Self::OrderConfirmed(event) => &event.order,
            Self::OrderRejected(event) => &event.order,
            Self::OrderPaid(event) => &event.order,
            Self::OrderCancelled(event) => &event.order,
        }
    }

    /// Which event it is.
    #[must_use]
    pub fn name(&self) -> OrderEventName {
        match self {
            Self::OrderPlaced(_) => OrderEventName::OrderPlaced,
            Self::OrderConfirmed(_) => OrderEventName::OrderConfirmed,
            Self::OrderRejected(_) => OrderEventName::OrderRejected,
            Self::OrderPaid(_) => OrderEventName::OrderPaid,
            Self::OrderCancelled(_) => OrderEventName::OrderCancelled,
        }
    }

    /// Why the order was rejected or cancelled.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::OrderRejected(event) => Some(&event.reason),
            Self::OrderCancelled(event) => Some(&event.reason),
            _ => None,
        }
    }
}

/// Declares an event of an order: its content is the order and, where named, further fields.
macro_rules! order_event {
    ($(#[$meta:meta])* $name:ident, $message_type:literal $(, $(#[$field_meta:meta])* $field:ident)?) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
        pub struct $name {
            /// The order after this event.
            #[garde(dive)]
            pub order: Order,
            $($(#[$field_meta])* #[garde(length(min = 1))] pub $field: String,)?
        }

        impl Message for $name {
            const TYPE: &'static str = $message_type;

            fn route(&self) -> Route {
                Route::Topic { topic: ORDER_EVENTS }
            }

            fn ordering_key(&self) -> String {
                self.order.id.to_string()
            }
        }
    };
}

order_event!(
    /// An order was accepted; its stock is not yet reserved.
    OrderPlaced, "spillway.order-placed.v1"
);
order_event!(
    /// The stock is reserved; payment is awaited.
    OrderConfirmed, "spillway.order-confirmed.v1"
);
order_event!(
    /// The stock could not be reserved.
    OrderRejected, "spillway.order-rejected.v1",
    /// Why, for people.
    reason
);
order_event!(
    /// The order was paid in time.
    OrderPaid, "spillway.order-paid.v1"
);
order_event!(
    /// The customer or the payment deadline ended the order.
    OrderCancelled, "spillway.order-cancelled.v1",
    /// Why, for people.
    reason
);

/// The payment deadline of orders has passed: cancel each of them unless it is paid. `order` sends this
/// to itself with a delay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct CancelUnpaidOrder {
    /// The order to look at.
    #[garde(skip)]
    pub order_id: Uuid,
    /// Those that were confirmed together with it, and have the same deadline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(length(max = 99))]
    pub others: Vec<Uuid>,
}

impl CancelUnpaidOrder {
    /// For one order alone.
    #[must_use]
    pub fn of(order_id: Uuid) -> Self {
        let others = Vec::new();
        Self { order_id, others }
    }

    /// All orders to look at.
    pub fn orders(&self) -> impl Iterator<Item = Uuid> {
        std::iter::once(self.order_id).chain(self.others.iter().copied())
    }
}

impl Message for CancelUnpaidOrder {
    const TYPE: &'static str = "spillway.cancel-unpaid-order.v1";

    fn route(&self) -> Route {
        Route::Queue {
            queue: PAYMENT_DEADLINES,
        }
    }

    fn ordering_key(&self) -> String {
        self.order_id.to_string()
    }
}
