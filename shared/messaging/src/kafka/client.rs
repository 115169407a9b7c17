use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::ClientConfig;

use super::watchdog::{REPORT_INTERVAL, Watchdog};

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
}

impl Kafka {
    pub(crate) fn new(args: &KafkaArgs, service: &'static str) -> Self {
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
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Relaxed)
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
