//! Everything that speaks to Kafka.
//!
//! This room promises that the messages of a partition are handled strictly in order, that an offset
//! is stored only after the commit of its handler or after the broker of dead letters has
//! confirmed, and that a message that fails holds its own partition and no other. Records are
//! published by an idempotent producer, those of one key in order. The room names no other broker: what becomes a dead letter
//! is handed to [`DeadLetters`](crate::consume::DeadLetters).

mod client;
mod security;
mod watchdog;

mod headers;

mod publisher;
mod topics;
mod upkeep;

mod beginning;
mod consumer;
mod gathering;
mod members;
mod partitions;
mod pausing;
mod session;
mod settling;

mod heads;
mod progress;

pub use client::KafkaArgs;
pub use progress::{GroupProgress, Head, ProgressWatch, TopicProgress};
pub use security::{SaslMechanism, SecurityProtocol};

pub(crate) use beginning::forget;
pub(crate) use client::Kafka;
pub(crate) use consumer::RecordConsumer;
pub(crate) use members::nobody_belongs_to;
pub(crate) use publisher::KafkaPublisher;
pub(crate) use upkeep::keep_topics;
