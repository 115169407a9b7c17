//! Everything that speaks to Kafka.

mod client;
mod codec;
mod consumer;
mod partitions;
mod publisher;
mod watch;

pub use consumer::TopicConsumer;

pub(crate) use client::Kafka;
pub(crate) use publisher::KafkaPublisher;
