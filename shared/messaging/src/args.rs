use std::time::Duration;

use crate::duration::{parse_delay, parse_interval};
use crate::faults::DemoArgs;
use crate::kafka::KafkaArgs;
use crate::outbox::{OutboxLimits, parse_shards};

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
    #[arg(long, env = "RETRY_DELAYS", value_delimiter = ',', value_parser = parse_delay,
          default_value = "1s,5s,30s")]
    pub retry_delays: Vec<Duration>,

    /// How often a relay looks into the outbox without a word of anybody. It hears of messages of its own
    /// process and of other instances at once. It looks with the statement that renews its leases, every 2 s at least.
    #[arg(long, env = "OUTBOX_POLL", value_parser = parse_interval, default_value = "2s")]
    pub outbox_poll: Duration,

    /// Into how many shards the outbox is divided for each broker, a power of two: so many relays can share it.
    /// The number is changed once the outbox is empty. As it is without this, which is 8 at first.
    #[arg(long, env = "OUTBOX_SHARDS", value_parser = parse_shards)]
    pub outbox_shards: Option<i16>,

    /// How long the id of a handled message is remembered.
    #[arg(long, env = "INBOX_RETENTION", value_parser = parse_interval, default_value = "7d")]
    pub inbox_retention: Duration,

    /// When to take no new work.
    #[command(flatten)]
    pub limits: OutboxLimits,

    /// What to break on purpose.
    #[command(flatten)]
    pub demo: DemoArgs,
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command, FromArgMatches};

    use super::*;

    fn parse(more: &[&str]) -> Result<MessagingArgs, clap::Error> {
        let command = MessagingArgs::augment_args(Command::new("test").no_binary_name(true));
        let brokers = ["--amqp-url=amqp://localhost", "--kafka-brokers=localhost"];
        let matches = command.try_get_matches_from(brokers.iter().chain(more))?;
        MessagingArgs::from_arg_matches(&matches)
    }

    #[test]
    fn retry_delays_are_a_list_of_durations_with_units() -> Result<(), clap::Error> {
        let args = parse(&["--retry-delays=250ms,5s,1h 30m", "--inbox-retention=7d"])?;
        let milliseconds: Vec<_> = args.retry_delays.iter().map(Duration::as_millis).collect();
        assert_eq!(milliseconds, [250, 5_000, 5_400_000]);
        assert_eq!(args.inbox_retention, Duration::from_secs(604_800));
        Ok(())
    }

    #[test]
    fn a_duration_without_a_unit_is_refused() {
        for delays in ["5", "", "1s,,5s", "-5s", "soon", "99999999999999999999d"] {
            let refused = parse(&[&format!("--retry-delays={delays}")]);
            assert!(refused.is_err(), "{delays}");
        }
    }

    #[test]
    fn a_duration_that_a_broker_or_the_database_would_refuse_is_refused_by_its_name() {
        for (setting, refused) in [
            ("retry-delays=1s,3651d", "<RETRY_DELAYS>"),
            ("retry-delays=10y", "<RETRY_DELAYS>"),
            ("outbox-poll=0s", "<OUTBOX_POLL>"),
            ("outbox-poll=999us", "<OUTBOX_POLL>"),
            ("inbox-retention=0s", "<INBOX_RETENTION>"),
            ("inbox-retention=9000y", "<INBOX_RETENTION>"),
            ("outbox-max-age=0s", "<OUTBOX_MAX_AGE>"),
            ("outbox-shards=12", "<OUTBOX_SHARDS>"),
        ] {
            let error = parse(&[&format!("--{setting}")]).map(drop);
            let error = error.map_err(|error| error.to_string());
            assert!(
                error.as_ref().is_err_and(|error| error.contains(refused)),
                "{setting}: {error:?}"
            );
        }
    }

    #[test]
    fn the_longest_and_the_shortest_durations_are_taken() {
        for setting in [
            "retry-delays=0s,3650d",
            "outbox-poll=1ms",
            "inbox-retention=3650d",
        ] {
            assert!(parse(&[&format!("--{setting}")]).is_ok(), "{setting}");
        }
    }
}
