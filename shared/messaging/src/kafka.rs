//! Everything that speaks to Kafka.

mod client;
mod consumer;
mod headers;
mod partitions;
mod publisher;
mod watchdog;

pub use consumer::TopicConsumer;

pub(crate) use client::Kafka;
pub(crate) use publisher::KafkaPublisher;
