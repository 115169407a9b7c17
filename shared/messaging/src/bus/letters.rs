use super::Bus;
use crate::rabbitmq::{DeadLetterConsumer, Replayer};

impl Bus {
    /// Takes all dead letters, of all services.
    pub fn dead_letters(&self) -> DeadLetterConsumer {
        DeadLetterConsumer::new(self.inner.rabbitmq.clone())
    }

    /// Gives messages that have failed back to the consumers that failed.
    #[must_use]
    pub fn replayer(&self) -> Replayer {
        Replayer::new(self.inner.rabbitmq.clone())
    }
}
