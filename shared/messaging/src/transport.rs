use opentelemetry::KeyValue;

/// Which broker a message is for. The two are relayed apart, so that one that is away does not hold
/// up the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    RabbitMq,
    Kafka,
}

impl Transport {
    pub(crate) const ALL: [Self; 2] = [Self::RabbitMq, Self::Kafka];

    /// Its name in the database, in logs and in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::RabbitMq => "rabbitmq",
            Self::Kafka => "kafka",
        }
    }

    /// What the OpenTelemetry conventions ask for on every span and metric of messaging.
    pub(crate) fn attributes(self, operation: &'static str, destination: String) -> [KeyValue; 4] {
        [
            KeyValue::new("messaging.system", self.as_str()),
            KeyValue::new("messaging.operation.name", operation),
            KeyValue::new("messaging.operation.type", operation),
            KeyValue::new("messaging.destination.name", destination),
        ]
    }
}
