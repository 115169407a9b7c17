use futures::future::BoxFuture;
use uuid::Uuid;

use crate::outbox::PublishError;

/// What is known about a message that could not be handled, in no broker's terms.
///
/// It travels with the original headers and body of the message, and says in headers of its own what
/// failed. A replay goes back to the consumer that failed, so every origin names exactly one.
#[derive(Debug, Clone)]
pub(crate) struct DeadLetter {
    pub(crate) origin: Origin,
    pub(crate) service: &'static str,
    pub(crate) handler: &'static str,
    pub(crate) reason: String,
    pub(crate) attempts: u32,
    /// Nobody knows whether the message was handled: which doubt that is.
    pub(crate) doubt: Option<Uuid>,
}

/// Where the message was when it failed.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    Queue {
        queue: String,
        exchange: String,
        routing_key: String,
    },
    Topic {
        topic: String,
        partition: i32,
        offset: i64,
        group: String,
        key: Option<Vec<u8>>,
    },
}

/// The message itself, when it comes from another broker than the one that keeps dead letters.
#[derive(Debug, Clone)]
pub(crate) struct Original {
    /// Tells it apart from others that are published with it, even if it has no id of its own.
    pub(crate) id: String,
    pub(crate) message_type: Option<String>,
    /// Names, and values byte by byte, or none.
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
    /// How many more headers it had, whose names cannot be told.
    pub(crate) unreadable_headers: usize,
    pub(crate) body: Vec<u8>,
}

/// Where dead letters go.
pub(crate) trait DeadLetters: Send + Sync {
    /// Publishes them and waits until the broker has taken a position on each. Answers in the same
    /// order; what is not confirmed is in nobody's hands but the caller's.
    fn publish(
        &mut self,
        letters: Vec<(DeadLetter, Original)>,
    ) -> BoxFuture<'_, Vec<Result<(), PublishError>>>;
}
