#![doc = include_str!("../README.md")]
#![deny(clippy::mod_module_files)]

#[cfg(feature = "testing")]
pub mod testing;

mod bus;

mod args;
mod migrate;

mod kafka;
mod rabbitmq;

mod consume;

mod letters;

mod controls;

mod handler;

mod claims;
mod inbox;
mod outbox;

mod faults;

mod refusals;

mod backoff;
mod cause;
mod contained;
mod duration;
mod pace;
mod span;
mod transport;

#[cfg(test)]
mod tests;

pub use args::MessagingArgs;
pub use bus::{Bus, OldRows, Removal, RemovalQuery, RemoveOld, TopicConsumer};
pub use cause::Cause;
pub use claims::{Claim, ClaimLost};
pub use duration::{parse_delay, parse_interval};
pub use faults::{DemoArgs, Guarantee, crash_point};
pub use handler::{
    BatchHandler, EffectHandler, Failure, Handler, NotPerformed, Position, Received, Tx,
};
pub use kafka::{
    GroupProgress, Head, KafkaArgs, ProgressWatch, SaslMechanism, SecurityProtocol, TopicProgress,
};
pub use letters::{
    HeaderValue, KeepLetters, Letter, LetterHeader, LetterOrigin, Replay, replays_of,
};
pub use migrate::migrate;
pub use outbox::OutboxLimits;
pub use pace::Pace;
pub use rabbitmq::{ControlsPublisher, DeadLetterConsumer, QueueConsumer, Replayer};
