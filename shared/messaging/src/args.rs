use std::time::Duration;

use crate::duration::duration;
use crate::faults::DemoArgs;
use crate::kafka::KafkaArgs;
use crate::outbox::OutboxLimits;

/// How to reach the brokers and how patient to be, from the environment.
#[derive(Clone, clap::Args)]
pub struct MessagingArgs {
    /// RabbitMQ, as `amqp://user:password@host:port/vhost`.
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    pub amqp_url: String,

    /// Kafka.
    #[command(flatten)]
    pub kafka: KafkaArgs,

    /// Pauses before the second, third, ... attempt to handle a message. When the last one has
    /// failed, the message becomes a dead letter.
    #[arg(long, env = "RETRY_DELAYS", value_delimiter = ',', value_parser = duration,
          default_value = "1s,5s,30s")]
    pub retry_delays: Vec<Duration>,

    /// How often a relay looks for messages of other instances. Messages of its own process wake
    /// it at once.
    #[arg(long, env = "OUTBOX_POLL", value_parser = duration, default_value = "100ms")]
    pub outbox_poll: Duration,

    /// How long the id of a handled message is remembered.
    #[arg(long, env = "INBOX_RETENTION", value_parser = duration, default_value = "7d")]
    pub inbox_retention: Duration,

    /// When to take no new work.
    #[command(flatten)]
    pub limits: OutboxLimits,

    /// What to break on purpose.
    #[command(flatten)]
    pub demo: DemoArgs,
}
