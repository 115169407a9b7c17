//! What the brokers hold.

use uuid::Uuid;

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

/// A message that was poison, and was mended and replayed: a release of the stock of an order that nobody has placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended {
    /// Its id.
    pub message_id: String,
    /// The order.
    pub order_id: Uuid,
}
