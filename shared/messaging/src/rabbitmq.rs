//! Everything that speaks AMQP 0-9-1.
//!
//! This room promises that a message leaves a queue only when it was handled, or when another queue
//! (a delay queue or that of the dead letters) has confirmed it, and that nothing is published without
//! `mandatory` and a confirm. No channel is published on by two tasks, since lapin attributes
//! confirms wrongly when it is. The broker may come and go at any time: what was not acknowledged is
//! delivered again. A connection holds a limited number of bytes that are not acknowledged.

mod connection;
mod sieve;
mod topology;
mod unrouted;
mod upkeep;

mod attempts;
mod properties;
mod republished;

mod channel;
mod outbox;

mod consumer;
mod moving;
mod settling;
mod subscription;
mod worker;

mod dead_letters;
mod letter;
mod letters;
mod replayer;

mod controls;

pub use consumer::QueueConsumer;
pub use controls::ControlsPublisher;
pub use letters::DeadLetterConsumer;
pub use replayer::Replayer;

pub(crate) use channel::ConfirmChannel;
pub(crate) use connection::RabbitMq;
pub(crate) use controls::listen;
pub(crate) use dead_letters::DeadLetterExchange;
pub(crate) use outbox::OutboxPublisher;
