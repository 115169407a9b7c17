use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::ClientConfig;

use super::security::{SaslMechanism, SecurityProtocol};
use super::watchdog::{REPORT_INTERVAL, Watchdog};
use crate::refusals::Refusals;

/// How to reach Kafka.
#[derive(Clone, clap::Args)]
pub struct KafkaArgs {
    /// Kafka bootstrap servers, as `host:port,host:port`.
    #[arg(long, env = "KAFKA_BROKERS")]
    pub kafka_brokers: String,

    /// How a listener is spoken to; without a word `SASL_PLAINTEXT` with a user and `PLAINTEXT` without.
    #[arg(long, env = "KAFKA_SECURITY_PROTOCOL", value_enum, ignore_case = true,
          requires_ifs = [("SASL_PLAINTEXT", "kafka_username"), ("SASL_SSL", "kafka_username")])]
    pub kafka_security_protocol: Option<SecurityProtocol>,

    /// How the user proves who it is.
    #[arg(
        long,
        env = "KAFKA_SASL_MECHANISM",
        value_enum,
        ignore_case = true,
        default_value = "PLAIN"
    )]
    pub kafka_sasl_mechanism: SaslMechanism,

    /// User for SASL; none for a listener without authentication.
    #[arg(long, env = "KAFKA_USERNAME")]
    pub kafka_username: Option<String>,

    /// Password for SASL.
    #[arg(
        long,
        env = "KAFKA_PASSWORD",
        hide_env_values = true,
        default_value = ""
    )]
    pub kafka_password: String,
}

impl KafkaArgs {
    fn security_protocol(&self) -> SecurityProtocol {
        self.kafka_security_protocol
            .unwrap_or(match self.kafka_username {
                Some(_) => SecurityProtocol::SaslPlaintext,
                None => SecurityProtocol::Plaintext,
            })
    }

    /// The user and the mechanism, where the listener wants one.
    fn user(&self) -> Option<(&str, SaslMechanism)> {
        match self.security_protocol() {
            SecurityProtocol::Plaintext | SecurityProtocol::Ssl => None,
            SecurityProtocol::SaslPlaintext | SecurityProtocol::SaslSsl => {
                Some((self.kafka_username.as_deref()?, self.kafka_sasl_mechanism))
            }
        }
    }
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
            .set("statistics.interval.ms", REPORT_INTERVAL)
            .set("security.protocol", args.security_protocol().name());
        if let Some((username, mechanism)) = args.user() {
            config
                .set("sasl.mechanism", mechanism.name())
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

#[cfg(test)]
mod tests {
    use clap::{Args, Command, FromArgMatches};

    use super::*;

    fn config(more: &[&str]) -> Result<ClientConfig, clap::Error> {
        let command = KafkaArgs::augment_args(Command::new("test").no_binary_name(true));
        let arguments = ["--kafka-brokers=localhost"].iter().chain(more);
        let matches = command.try_get_matches_from(arguments)?;
        let args = KafkaArgs::from_arg_matches(&matches)?;
        Ok(Kafka::new(&args, "test", Arc::default()).config())
    }

    #[test]
    fn a_user_means_a_password_in_clear_unless_the_protocol_says_otherwise()
    -> Result<(), clap::Error> {
        let user = "--kafka-username=order";
        let cases: [(&[&str], &str, Option<&str>); 5] = [
            (&[], "PLAINTEXT", None),
            (&[user], "SASL_PLAINTEXT", Some("PLAIN")),
            (&["--kafka-security-protocol=SSL"], "SSL", None),
            (
                &["--kafka-security-protocol=sasl_ssl", user],
                "SASL_SSL",
                Some("PLAIN"),
            ),
            (
                &[
                    "--kafka-security-protocol=SASL_SSL",
                    "--kafka-sasl-mechanism=SCRAM-SHA-512",
                    user,
                ],
                "SASL_SSL",
                Some("SCRAM-SHA-512"),
            ),
        ];
        for (more, protocol, mechanism) in cases {
            let config = config(more)?;
            assert_eq!(config.get("security.protocol"), Some(protocol), "{more:?}");
            assert_eq!(config.get("sasl.mechanism"), mechanism, "{more:?}");
            let user = mechanism.map(|_| "order");
            assert_eq!(config.get("sasl.username"), user, "{more:?}");
        }
        Ok(())
    }

    #[test]
    fn what_no_listener_speaks_is_refused_by_its_name() {
        for (setting, named) in [
            ("--kafka-security-protocol=TLS", "KAFKA_SECURITY_PROTOCOL"),
            ("--kafka-sasl-mechanism=GSSAPI", "KAFKA_SASL_MECHANISM"),
            ("--kafka-security-protocol=SASL_SSL", "KAFKA_USERNAME"),
        ] {
            let error = config(&[setting]).err().map(|error| error.to_string());
            assert!(
                error.is_some_and(|error| error.contains(named)),
                "{setting}"
            );
        }
    }

    /// That librdkafka is compiled with TLS is only seen here.
    #[test]
    fn a_client_that_speaks_tls_can_be_made() -> anyhow::Result<()> {
        let config = config(&[
            "--kafka-security-protocol=SASL_SSL",
            "--kafka-username=order",
            "--kafka-password=secret",
        ])?;
        config.create::<rdkafka::consumer::BaseConsumer>()?;
        Ok(())
    }
}
