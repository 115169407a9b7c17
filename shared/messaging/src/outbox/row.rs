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
    pub(crate) shard: i16,
    pub(crate) message_id: Uuid,
    pub(crate) destination: String,
    pub(crate) routing_key: String,
    pub(crate) message_type: String,
    pub(crate) traceparent: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) created_at: jiff_sqlx::Timestamp,
    pub(crate) attempts: i32,
}

impl NewRow {
    /// The same in its place in the outbox.
    pub(super) fn at(
        self,
        seq: i64,
        shard: i16,
        message_id: Uuid,
        created_at: jiff_sqlx::Timestamp,
    ) -> Row {
        Row {
            seq,
            shard,
            message_id,
            destination: self.address.destination.into_owned(),
            routing_key: self.address.key.into_owned(),
            message_type: self.message_type.to_owned(),
            traceparent: self.traceparent,
            body: self.body,
            created_at,
            attempts: 0,
        }
    }
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
