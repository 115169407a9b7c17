//! Dead letters as whoever keeps them sees them, and what goes back.
//!
//! This room promises that a letter is as it was in the queue, whoever has written it: nothing that
//! cannot be read is an error here. It names no broker's client.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

/// A message that could not be handled.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Where the message was when it failed; none if that is not told.
    pub origin: Option<LetterOrigin>,
    /// The service that could not handle it.
    pub service: Option<String>,
    /// Its handler.
    pub handler: Option<String>,
    /// Why.
    pub reason: String,
    /// How many attempts had failed.
    pub attempts: u32,
    /// When it was given up.
    pub time: Option<Timestamp>,
    /// The id that the message had, if it had one.
    pub message_id: Option<String>,
    /// Its type.
    pub message_type: Option<String>,
    /// When it was written, as its producer has put it.
    pub written: Option<String>,
    /// Who has written it, as a CloudEvents `source`.
    pub source: Option<String>,
    /// The letter of which it was a replay.
    pub replay_of: Option<Uuid>,
    /// Nobody knows whether it took effect: which doubt that is.
    pub doubt: Option<Uuid>,
    /// Every header, in the order of names.
    pub headers: Vec<LetterHeader>,
    /// The properties of AMQP that were set.
    pub properties: BTreeMap<&'static str, String>,
    /// Whether headers or body are not complete.
    pub is_cut: bool,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// One header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterHeader {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: HeaderValue,
}

/// The value of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderValue {
    /// A string.
    Text(String),
    /// A string that is not UTF-8.
    Bytes(Vec<u8>),
    /// What is no string.
    Other(serde_json::Value),
}

/// Where a message was when it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LetterOrigin {
    /// In a queue.
    Queue {
        /// Its name.
        queue: String,
        /// Through which exchange it had come there.
        exchange: String,
        /// By which routing key.
        routing_key: String,
    },
    /// In a topic.
    Topic {
        /// Its name.
        topic: String,
        /// Which partition.
        partition: i32,
        /// Its number there.
        offset: i64,
        /// The group whose consumer has failed.
        group: String,
        /// The key of the record, as far as it is text.
        key: Option<String>,
    },
    /// In a queue from which the broker itself has taken it.
    Broker {
        /// The queue.
        queue: String,
        /// The broker's word for why.
        reason: String,
    },
}

/// The queue of a topic's consumer for messages that are replayed to it alone.
#[must_use]
pub fn replays_of(service: &str, topic: &str) -> String {
    format!("{service}.{topic}.replays")
}

impl LetterOrigin {
    /// The queue from which the consumer that failed takes messages.
    #[must_use]
    pub fn replay_queue(&self) -> String {
        match self {
            Self::Queue { queue, .. } | Self::Broker { queue, .. } => queue.clone(),
            Self::Topic { group, topic, .. } => {
                let service = group.strip_suffix(topic.as_str());
                let service = service.and_then(|service| service.strip_suffix('.'));
                replays_of(service.unwrap_or(group), topic)
            }
        }
    }
}

/// Keeps letters.
pub trait KeepLetters: Send + Sync + 'static {
    /// Keeps all of them, or none and says why: then they are handed over again. One that was kept before
    /// may come again.
    fn keep(&self, letters: &[Letter]) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// A message that goes back to the consumer that failed. What is not named here stays behind, so that it has
/// all its attempts again.
#[derive(Debug, Clone)]
pub struct Replay {
    /// The letter that it was.
    pub letter: Uuid,
    /// The doubt of which the letter tells, if it does: without it the consumer takes this for a copy that came by
    /// itself.
    pub doubt: Option<Uuid>,
    /// The queue of that consumer.
    pub queue: String,
    /// The CloudEvents id: whoever has handled it already passes over it.
    pub message_id: String,
    /// The CloudEvents type.
    pub message_type: String,
    /// The CloudEvents time, if it had one.
    pub written: Option<String>,
    /// The CloudEvents source, if it had one.
    pub source: Option<String>,
    /// The W3C trace context by which its outcome is known.
    pub traceparent: String,
    /// The body.
    pub body: Vec<u8>,
}
