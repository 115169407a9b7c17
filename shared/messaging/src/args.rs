use std::time::Duration;

use jiff::SignedDuration;

use crate::faults::DemoArgs;
use crate::outbox::OutboxLimits;

/// How to reach the brokers and how patient to be, from the environment.
#[derive(Clone, clap::Args)]
pub struct MessagingArgs {
    /// RabbitMQ, as `amqp://user:password@host:port/vhost`.
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    pub amqp_url: String,

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

/// Parses `250ms`, `5s`, `15m`, `2h` and the like.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text
        .strip_suffix('d')
        .and_then(|days| days.parse::<i64>().ok())
        .map_or_else(
            || text.parse().map_err(|error| format!("{error}")),
            |days| {
                let hours = days
                    .checked_mul(24)
                    .filter(|hours| *hours < i64::MAX / 3600);
                let duration = hours.map(SignedDuration::from_hours);
                duration.ok_or_else(|| "this is too long".to_owned())
            },
        )?;
    Duration::try_from(parsed).map_err(|_| "a duration cannot be negative".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_with_a_unit() {
        for (text, milliseconds) in [
            ("250ms", 250),
            ("5s", 5_000),
            ("15m", 900_000),
            ("2h", 7_200_000),
            ("1h30m", 5_400_000),
            ("7d", 604_800_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)));
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "5",
            "soon",
            "-5s",
            "-1d",
            "1e3s",
            "99999999999999999999d",
            "999999999999999999d",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
