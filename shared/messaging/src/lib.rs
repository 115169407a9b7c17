//! Reliable messaging over RabbitMQ and Kafka, seen from a service.
//!
//! A service author meets five things:
//!
//! * [`Bus`]: wiring. Which queue or topic goes to which handler, and which relay runs.
//! * [`Handler`] and [`BatchHandler`]: what to do with a message, given a transaction.
//! * [`Received`]: a decoded message with its id and its [`Cause`].
//! * [`Tx`]: the transaction, a `PgConnection` that can also [publish](Tx::publish).
//! * [`Failure`]: *retry* or *reject*.
//!
//! Acknowledgements, offsets, confirms, retries, dead letters, duplicates, trace context,
//! reconnecting and draining happen inside and are never seen in a service.
//!
//! # Delivery semantics
//!
//! Delivery is *at least once*: a message is acknowledged only after the transaction of its
//! handler has committed, and leaves the outbox only after the broker has confirmed it. Handling
//! is *idempotent*: the id of the message is written to the inbox in the same transaction, and a
//! message whose id is there is not handled again.
//!
//! # Invariants
//!
//! * No handler sees an ack, a nack or an offset.
//! * No transaction is open while a publish waits for its confirm.
//! * No channel is published on by two tasks: lapin attributes confirms wrongly when it is.
//! * A message leaves a queue only when it was handled, or when another queue (a delay queue or
//!   the dead letters) has confirmed it.

mod bus;

mod args;

mod kafka;
mod rabbitmq;

mod consume;

mod handler;

mod inbox;
mod outbox;

mod faults;

mod cause;
mod metrics;
mod trace;

pub use args::MessagingArgs;
pub use bus::{Bus, migrate};
pub use cause::Cause;
pub use faults::{DemoArgs, Guarantee, crash_point};
pub use handler::{BatchHandler, Failure, Handler, Received, Tx};
pub use kafka::TopicConsumer;
pub use outbox::OutboxLimits;
pub use rabbitmq::QueueConsumer;
