use serde_json::{Value, json};
use uuid::Uuid;

/// The attributes of a message that somebody writes who is none of our services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudEvent {
    /// The message id.
    pub id: String,
    message_type: String,
}

/// A message of this type, with an id of its own.
#[must_use]
pub fn cloud_event(message_type: &str) -> CloudEvent {
    CloudEvent {
        id: Uuid::now_v7().to_string(),
        message_type: message_type.to_owned(),
    }
}

impl CloudEvent {
    /// As the headers of a Kafka record.
    #[must_use]
    pub fn headers(&self) -> [(&str, &str); 4] {
        [
            ("ce_id", &self.id),
            ("ce_type", &self.message_type),
            ("ce_source", "e2e"),
            ("ce_specversion", "1.0"),
        ]
    }

    /// As the properties of a persistent AMQP message.
    #[must_use]
    pub fn properties(&self) -> Value {
        json!({"message_id": self.id, "type": self.message_type, "delivery_mode": 2})
    }
}
