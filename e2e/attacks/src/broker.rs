use std::fmt::{self, Display};

/// A broker, of which a cluster has three nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "says it all")]
pub enum Broker {
    Rabbitmq,
    Kafka,
}

impl Broker {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Rabbitmq, Self::Kafka];

    /// How many nodes of each a cluster has.
    pub const NODES: usize = 3;

    /// The services that are its nodes, as `deploy/compose.cluster.yml` has them. Without a cluster the first is the
    /// only one.
    #[must_use]
    pub fn nodes(self) -> [&'static str; Self::NODES] {
        match self {
            Self::Rabbitmq => ["rabbitmq", "rabbitmq-2", "rabbitmq-3"],
            Self::Kafka => ["kafka", "kafka-2", "kafka-3"],
        }
    }

    /// The one of which a service is a node.
    #[must_use]
    pub fn of(service: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|broker| broker.nodes().contains(&service))
    }
}

impl Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rabbitmq => "RabbitMQ",
            Self::Kafka => "Kafka",
        })
    }
}
