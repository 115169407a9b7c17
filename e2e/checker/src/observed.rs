use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

/// Everything that the checker decides by.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// What clients asked for and were answered.
    pub answered: Answered,
    /// Whether so much time has passed that no order can still wait for its payment.
    pub deadlines_have_passed: bool,
    /// How many faults may have come between the sending of an e-mail and its commit.
    pub interruptions: usize,
    /// How often an e-mail was taken over from an instance that had died with it, as `notification` counts
    /// it. None if it does not.
    pub takeovers: Option<usize>,
    /// How many faults may have cut off a sender from the mail server.
    pub cut_offs: usize,
    /// The orders in the database of `order`.
    pub orders: Vec<Order>,
    /// The orders as its API lists them.
    pub listed: Vec<Listed>,
    /// The stock in the database of `inventory`, by SKU.
    pub stock: BTreeMap<String, Stock>,
    /// The stock as its API shows it.
    pub shown: BTreeMap<String, Level>,
    /// All versions of the levels in the topic `stock-levels`, in the order of the topic.
    pub levels: Vec<(String, Level)>,
    /// The reservations in the database of `inventory`.
    pub reservations: Vec<Reservation>,
    /// The deliveries in the database of `inventory`.
    pub restocks: Vec<Restock>,
    /// The notifications in the database of `notification`.
    pub notifications: Vec<Notification>,
    /// What the API of `notification` answers for some of the orders.
    pub told: Vec<Told>,
    /// The e-mails at the mail server.
    pub emails: Vec<Email>,
    /// The records of `order-events`, partition by partition in the order of their offsets.
    pub order_events: Vec<Record>,
    /// The records of `stock-events`, in the same way.
    pub stock_events: Vec<Record>,
    /// What each handler has in its inbox.
    pub handled: Vec<Handled>,
    /// Rows in the outbox of each service.
    pub outboxes: BTreeMap<String, i64>,
    /// All queues but the one of dead letters.
    pub queues: Vec<Queue>,
    /// Exchanges, queues and bindings before anybody deleted any.
    pub declared_before: BTreeSet<String>,
    /// Those that there are now.
    pub declared: BTreeSet<String>,
    /// How far each consumer group is behind, by partition.
    pub lags: Vec<Lag>,
    /// The dead letters.
    pub dead_letters: Vec<DeadLetter>,
    /// The messages that were made so that nobody can handle them.
    pub poison: Vec<Poison>,
}

/// The clients' side of the story.
#[derive(Debug, Clone, Default)]
pub struct Answered {
    /// Every order that was ever asked for.
    pub attempts: Vec<Attempt>,
    /// Every delivery that was ever reported.
    pub restocked: Vec<Restocked>,
    /// Requests that were refused although what they asked for can be had, with the answer.
    pub refused: Vec<String>,
    /// Requests that were repeated until long after everything was healed, in vain.
    pub unanswered: Vec<String>,
}

/// One client that wanted one order, and asked for it once or, with a key, repeatedly.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attempt {
    /// Its e-mail address, which no other attempt has: by it an order without an answer is found.
    pub email: String,
    /// What it wants.
    pub lines: Vec<Line>,
    /// Whether it will ask for a cancellation.
    pub asks_to_cancel: bool,
    /// The ids that it was answered with 202; several only by a broken promise.
    pub accepted: Vec<Uuid>,
    /// Whether a payment was answered with 200.
    pub paid: bool,
    /// Whether a cancellation was answered with 200.
    pub cancelled: bool,
}

/// One delivery of pieces, reported under an idempotency key of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restocked {
    /// The key.
    pub key: String,
    /// The product.
    pub sku: String,
    /// The pieces.
    pub quantity: i64,
    /// Whether it was answered with 200.
    pub answered: bool,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the API documents its fields")]
pub struct Order {
    pub id: Uuid,
    pub status: String,
    pub version: i32,
    pub history: Vec<Step>,
    pub email: String,
    pub phone: Option<String>,
    pub is_vip: bool,
    pub lines: Vec<Line>,
}

/// An entry of an order's history.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[expect(missing_docs, reason = "the API documents its fields")]
pub struct Step {
    pub status: String,
    pub version: i32,
}

/// A product and how many pieces of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[expect(missing_docs, reason = "says it all")]
pub struct Line {
    pub sku: String,
    pub quantity: i64,
}

impl Line {
    /// The lines in an order of their own, so that they can be compared.
    pub(super) fn sorted(lines: &[Self]) -> Vec<&Self> {
        let mut lines: Vec<_> = lines.iter().collect();
        lines.sort_unstable();
        lines
    }
}

/// An order as the API lists it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[expect(missing_docs, reason = "the API documents its fields")]
pub struct Listed {
    pub id: Uuid,
    pub status: String,
    pub version: i32,
}

/// The stock of one product with where it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table documents its columns")]
pub struct Stock {
    pub level: Level,
    pub initial: i64,
    pub restocked: i64,
}

/// The stock of one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[expect(missing_docs, reason = "the contract documents its fields")]
pub struct Level {
    pub available: i64,
    pub reserved: i64,
    pub sold: i64,
    pub version: i64,
}

/// What was decided about the stock for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table documents its columns")]
pub struct Reservation {
    pub order_id: Uuid,
    pub status: String,
    pub lines: Vec<Line>,
}

/// A delivery as `inventory` booked it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table documents its columns")]
pub struct Restock {
    pub key: Option<String>,
    pub sku: String,
    pub quantity: i64,
}

/// One thing that a customer was told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table documents its columns")]
pub struct Notification {
    pub id: Uuid,
    pub order_id: Uuid,
    pub event: String,
    pub channel: String,
    pub recipient: String,
    pub deliveries: i32,
}

/// What an order's customer was told, as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The order.
    pub order_id: Uuid,
    /// Event and channel of every notification, sorted.
    pub told: Vec<(String, String)>,
}

/// An e-mail that the mail server took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// The `Message-ID`.
    pub message_id: String,
}

/// A record of a topic that is keyed by order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// CloudEvents id.
    pub id: Uuid,
    /// CloudEvents type, for example `spillway.order-placed.v1`.
    pub message_type: String,
    /// Where it is.
    pub partition: i32,
    /// The order, which is the key.
    pub order_id: Uuid,
    /// The version of the order after the event, 0 where a record has none.
    pub version: i32,
}

/// A message that a handler has taken effect for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handled {
    /// The handler, one of those of [`CONSUMERS`](super::CONSUMERS).
    pub handler: &'static str,
    /// The message.
    pub message_id: Uuid,
    /// When the effect was committed, in microseconds.
    pub committed_at: i64,
}

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Messages in it, those on their way to a consumer as well.
    pub messages: i64,
}

/// How far a consumer group is behind in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "known from Kafka")]
pub struct Lag {
    pub group: String,
    pub partition: i32,
    pub records: i64,
}

/// A message that a consumer could not handle.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeadLetter {
    /// The message id of the message.
    pub message_id: String,
    /// Who could not: the queue, or the consumer group.
    pub consumer: String,
    /// Why.
    pub reason: String,
    /// The notification whose e-mail may have been delivered or not: the mail server went away before it said so.
    pub in_doubt: Option<Uuid>,
}

/// A message that was made so that nobody can handle it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poison {
    /// Its message id.
    pub message_id: String,
    /// Who gets it: the queue, or every group that consumes the topic.
    pub consumers: Vec<String>,
    /// Whether the broker has confirmed it. If not, it may be there or not.
    pub is_certain: bool,
}
