//! Everything that speaks AMQP 0-9-1.

mod channel;
mod connection;
mod consumer;
mod properties;
mod topology;

pub use consumer::QueueConsumer;

pub(crate) use channel::{OutboxPublisher, Outgoing, Publisher};
pub(crate) use connection::RabbitMq;
pub(crate) use properties::again;
pub(crate) use topology::{DEFAULT_EXCHANGE, delay_queue_name};

use lapin::types::ShortString;

use crate::faults::{Guarantee, without};

/// The AMQP delivery mode of a message that survives a restart of the broker.
pub(crate) fn persistent() -> u8 {
    if without(Guarantee::Persistence) {
        1
    } else {
        2
    }
}

/// A short string of AMQP, cut off at the 255 bytes that the protocol allows. Names of ours are
/// far below; what arrives from elsewhere may not be.
pub(crate) fn short(text: &str) -> ShortString {
    const LONGEST: usize = 255;
    let end = (0..=text.len().min(LONGEST))
        .rev()
        .find(|&end| text.is_char_boundary(end));
    ShortString::try_new(&text[..end.unwrap_or(0)]).unwrap_or_default()
}
