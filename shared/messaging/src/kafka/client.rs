use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::ClientConfig;

use super::watchdog::{REPORT_INTERVAL, Watchdog};
use crate::refusals::Refusals;

/// How to reach Kafka.
#[derive(Clone, clap::Args)]
pub struct KafkaArgs {
    /// Kafka bootstrap servers, as `host:port,host:port`.
    #[arg(long, env = "KAFKA_BROKERS")]
    pub kafka_brokers: String,

    /// User for SASL PLAIN; none for a listener without authentication.
    #[arg(long, env = "KAFKA_USERNAME")]
    pub kafka_username: Option<String>,

    /// Password for SASL PLAIN.
    #[arg(
        long,
        env = "KAFKA_PASSWORD",
        hide_env_values = true,
        default_value = ""
    )]
    pub kafka_password: String,
}

/// Settings for reaching Kafka, and whether it was reached.
#[derive(Clone)]
pub(crate) struct Kafka {
    config: ClientConfig,
    connected: Arc<AtomicBool>,
    refusals: Arc<Refusals>,
}

impl Kafka {
    pub(crate) fn new(args: &KafkaArgs, service: &'static str, refusals: Arc<Refusals>) -> Self {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &args.kafka_brokers)
            .set("client.id", service)
            .set("reconnect.backoff.max.ms", "1000")
            .set("socket.connection.setup.timeout.ms", "5000")
            // A request into a connection that has gone silent holds the client for this long; the
            // default is a minute.
            .set("socket.timeout.ms", "10000")
            // A consumer may start before the owner of its topic has created it.
            .set("topic.metadata.refresh.interval.ms", "5000")
            // A producer that asks for a topic would else have the broker create it, with settings of its own.
            .set("allow.auto.create.topics", "false")
            .set("statistics.interval.ms", REPORT_INTERVAL);
        if let Some(username) = &args.kafka_username {
            config
                .set("security.protocol", "SASL_PLAINTEXT")
                .set("sasl.mechanism", "PLAIN")
                .set("sasl.username", username)
                .set("sasl.password", &args.kafka_password);
        }
        Self {
            config,
            connected: Arc::default(),
            refusals,
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Relaxed)
    }

    /// Takes note of what is wrong with a topic, if anything is.
    pub(super) fn note(&self, topic: &str, wrong: Option<String>) {
        let piece = format!("topic `{topic}`");
        let wrong = wrong.map(|wrong| format!("{piece}: {wrong}"));
        self.refusals.note(&piece, wrong);
    }

    /// Settings for one more client; each has its own connections and threads.
    pub(super) fn config(&self) -> ClientConfig {
        self.config.clone()
    }

    /// What a new client reports to.
    pub(super) fn watchdog(&self) -> Watchdog {
        Watchdog::new(Arc::clone(&self.connected))
    }
}
