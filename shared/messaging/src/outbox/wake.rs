use tokio::sync::Notify;

use super::row::NewRow;
use crate::transport::Transport;

/// Tells the relays of this process that there is something to publish.
#[derive(Default)]
pub(crate) struct Wake {
    rabbitmq: Notify,
    kafka: Notify,
}

impl Wake {
    pub(crate) fn of(&self, transport: Transport) -> &Notify {
        match transport {
            Transport::RabbitMq => &self.rabbitmq,
            Transport::Kafka => &self.kafka,
        }
    }

    pub(crate) fn after_writing(&self, rows: &[NewRow]) {
        for transport in Transport::ALL {
            if rows.iter().any(|row| row.address.transport == transport) {
                self.of(transport).notify_one();
            }
        }
    }
}
