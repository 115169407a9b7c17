use contracts::topology::{ORDER_EVENTS, PRODUCTS, STOCK_EVENTS, Topic};

/// Who reads a topic.
#[derive(Debug, Clone, Copy)]
pub struct Consumer {
    /// The service.
    pub service: &'static str,
    /// Its handler, as the inbox calls it.
    pub handler: &'static str,
    /// Its consumer group.
    pub group: &'static str,
    /// The topic.
    pub topic: Topic,
}

/// Everybody who reads a topic. A message in it is handled, or becomes a dead letter, once for each.
pub const CONSUMERS: [Consumer; 3] = [
    Consumer {
        service: "order",
        handler: "confirm-or-reject",
        group: "order.stock-events",
        topic: STOCK_EVENTS,
    },
    Consumer {
        service: "order",
        handler: "list-products",
        group: "order.products",
        topic: PRODUCTS,
    },
    Consumer {
        service: "notification",
        handler: "notify-customers",
        group: "notification.order-events",
        topic: ORDER_EVENTS,
    },
];
