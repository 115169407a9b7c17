//! Names of exchanges, routing keys, queues and topics.
//!
//! A queue is named after the service that owns it, a topic after the facts that it holds.

/// A RabbitMQ exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// Its name.
    pub name: &'static str,
    /// How it matches routing keys.
    pub kind: ExchangeKind,
}

/// How an exchange decides which of the bound queues get a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeKind {
    /// The routing key equals the binding key.
    Direct,
    /// The routing key matches the pattern of the binding (`*` one word, `#` any number).
    Topic,
    /// Every bound queue.
    Fanout,
}

/// A Kafka topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: &'static str,
    /// At least the number of consumers of one group that one wants to see at work.
    pub partitions: i32,
    /// Whether only the latest message of each key is kept.
    pub compacted: bool,
}

impl Topic {
    const fn new(name: &'static str) -> Self {
        let partitions = 8;
        let compacted = false;
        Self {
            name,
            partitions,
            compacted,
        }
    }

    const fn compacted(name: &'static str) -> Self {
        let compacted = true;
        Self {
            compacted,
            ..Self::new(name)
        }
    }
}

/// Direct exchange for commands, each routed to the queue of its one owner.
pub const COMMANDS: Exchange = Exchange {
    name: "commands",
    kind: ExchangeKind::Direct,
};
/// Routing key of [`crate::ReserveStock`].
pub const STOCK_RESERVE: &str = "stock.reserve";
/// Routing key of [`crate::ReleaseStock`].
pub const STOCK_RELEASE: &str = "stock.release";
/// Routing key of [`crate::SellStock`].
pub const STOCK_SELL: &str = "stock.sell";
/// Queue of `inventory` for all commands about stock.
pub const STOCK_COMMANDS: &str = "inventory.stock-commands";

/// Queue of `order` in which payment deadlines arrive once they have passed.
pub const PAYMENT_DEADLINES: &str = "order.payment-deadlines";

/// Topic exchange for notification tasks, with routing keys `<channel>.<event>.<tier>`.
pub const NOTIFICATIONS: Exchange = Exchange {
    name: "notifications",
    kind: ExchangeKind::Topic,
};
/// Queue of the e-mail worker, bound to `email.#`.
pub const NOTIFICATION_EMAIL: &str = "notification.email";
/// Queue of the SMS worker, bound to `sms.*.vip`: nobody else gets text messages.
pub const NOTIFICATION_SMS: &str = "notification.sms";
/// Queue of the push worker, bound to `push.#`.
pub const NOTIFICATION_PUSH: &str = "notification.push";

/// Fanout exchange for messages that could not be handled.
pub const DEAD_LETTERS: Exchange = Exchange {
    name: "dead-letters",
    kind: ExchangeKind::Fanout,
};
/// The one queue bound to [`DEAD_LETTERS`].
pub const DEAD_LETTER_QUEUE: &str = "dead-letters";

/// Fanout exchange on which a demonstration says what it asks of the services: [`crate::Controls`]. Each
/// process has a queue of its own, which ends with it.
pub const CONTROLS: Exchange = Exchange {
    name: "controls",
    kind: ExchangeKind::Fanout,
};

/// What happened to orders; keyed by order id.
pub const ORDER_EVENTS: Topic = Topic::new("order-events");
/// What happened to the stock that an order wanted; keyed by order id.
pub const STOCK_EVENTS: Topic = Topic::new("stock-events");
/// The price list; keyed by SKU and compacted, so that a new reader gets the latest of each.
pub const PRODUCTS: Topic = Topic::compacted("products");
/// The stock levels; keyed by SKU and compacted.
pub const STOCK_LEVELS: Topic = Topic::compacted("stock-levels");
