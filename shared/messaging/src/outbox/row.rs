use uuid::Uuid;

use super::address::Address;
use crate::transport::Transport;

/// A message to be written.
pub(crate) struct NewRow {
    pub(crate) address: Address,
    pub(crate) ordering_key: String,
    pub(crate) message_type: &'static str,
    pub(crate) traceparent: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// A message to be published.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) seq: i64,
    pub(crate) message_id: Uuid,
    pub(crate) destination: String,
    pub(crate) routing_key: String,
    pub(crate) message_type: String,
    pub(crate) traceparent: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) created_at: jiff_sqlx::Timestamp,
    pub(crate) attempts: i32,
}

impl Row {
    /// What the OpenTelemetry conventions call the destination: `{exchange}:{routing key}` or the topic.
    pub(crate) fn destination_name(&self, transport: Transport) -> String {
        match transport {
            Transport::RabbitMq => format!("{}:{}", self.destination, self.routing_key),
            Transport::Kafka => self.destination.clone(),
        }
    }
}
