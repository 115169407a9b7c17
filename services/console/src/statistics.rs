//! What the brokers say about themselves, looked at once a second and kept until somebody wants to know. What is not
//! counted from one look to the next is looked at every five seconds while nobody watches.
//!
//! Nothing here asks a service. Numbers of a broker that does not answer become old, not zero.

mod broker;
mod clock;
mod kafka;
mod machine;
mod metrics;
mod persist;
mod queues;
mod rabbitmq;
mod rest;
mod series;
mod topics;
mod way;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use broker::BrokerState;
pub use clock::Clock;
pub use kafka::watch_kafka;
pub use queues::{Instances, QueueState};
pub use rabbitmq::{Kind, RabbitMqApi, watch_rabbitmq};
pub use series::{Point, Series};
pub use topics::{GroupState, PartitionState, TopicState};

use machine::Machine;
use queues::Queues;
use topics::Topics;

/// For how many seconds whoever has seen a frame is taken to be there.
const STAYS: f64 = 10.0;

/// What is known of both brokers; clones share it.
#[derive(Clone, Default)]
pub struct Statistics {
    known: Arc<Mutex<Known>>,
}

/// What was last seen.
#[derive(Default)]
pub struct Known {
    /// The clock by which everything here is timed.
    pub clock: Clock,
    /// Whether RabbitMQ's management API answers.
    pub rabbitmq: BrokerState,
    /// Whether Kafka answers.
    pub kafka: BrokerState,
    /// The queues, and who is connected.
    pub queues: Queues,
    /// The topics, and how far each group has come.
    pub topics: Topics,
    /// When somebody was last shown all this.
    shown: Option<f64>,
    /// Whether there is time left for this service.
    machine: Machine,
    /// When others last went first.
    gave_way: Option<f64>,
}

impl Known {
    /// Somebody is shown all this now.
    pub(crate) fn show(&mut self) {
        self.shown = Some(self.clock.now());
    }

    /// Whether somebody was shown all this a moment ago, and may want to see how it goes on.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        let now = self.clock.now();
        self.shown.is_some_and(|shown| now - shown < STAYS)
    }
}

impl Statistics {
    /// What is known; hold it for a moment only.
    pub fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
