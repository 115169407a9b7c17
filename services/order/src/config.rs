//! The configuration of the service, from the environment or the command line.

use std::time::Duration;

use database::DatabaseArgs;
use messaging::MessagingArgs;
use runtime::config::{AdminArgs, HttpArgs};

/// What can be configured.
#[derive(clap::Args)]
pub struct Config {
    /// Where requests are answered.
    #[command(flatten)]
    pub http: HttpArgs,

    /// Who may list orders.
    #[command(flatten)]
    pub admin: AdminArgs,

    /// The service's own database.
    #[command(flatten)]
    pub database: DatabaseArgs,

    /// Both brokers.
    #[command(flatten)]
    pub messaging: MessagingArgs,

    /// How long a confirmed order waits for its payment before it is cancelled, for example `15m` or `1d`.
    #[arg(id = "PAYMENT_DEADLINE", long = "payment-deadline", env = "PAYMENT_DEADLINE", default_value = "15m",
          value_parser = messaging::parse_delay)]
    pub payment_deadline: Duration,

    /// How long an order waits for an answer about its stock before the service asks again. After that each
    /// time is twice as long.
    #[arg(id = "PENDING_SWEEP_AFTER", long = "pending-sweep-after", env = "PENDING_SWEEP_AFTER", default_value = "5m",
          value_parser = messaging::parse_interval)]
    pub pending_sweep_after: Duration,

    /// How long after its payment deadline an unpaid order is cancelled, when the message that should have done it
    /// has not come. The deadline is the one that was set when it was confirmed.
    #[arg(id = "UNPAID_SWEEP_AFTER", long = "unpaid-sweep-after", env = "UNPAID_SWEEP_AFTER", default_value = "5m",
          value_parser = messaging::parse_interval)]
    pub unpaid_sweep_after: Duration,

    /// How long an order is kept after the last thing that has happened to it, for example `90d`. For ever without
    /// this. At least as long as `INBOX_RETENTION`.
    #[arg(id = "ORDERS_KEPT", long = "orders-kept", env = "ORDERS_KEPT", value_parser = messaging::parse_interval)]
    pub orders_kept: Option<Duration>,

    /// How long after an order was placed its `Idempotency-Key` is known. As long as the order without this.
    #[arg(id = "IDEMPOTENCY_KEYS_KEPT", long = "idempotency-keys-kept", env = "IDEMPOTENCY_KEYS_KEPT",
          value_parser = messaging::parse_interval)]
    pub idempotency_keys_kept: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use clap::builder::Resettable;
    use clap::{Args, Command, FromArgMatches};

    use super::*;

    #[test]
    fn a_payment_deadline_that_rabbitmq_would_refuse_is_refused_by_its_name() {
        for (deadline, is_taken) in [("3650d", true), ("0s", true), ("3651d", false)] {
            let command = Config::augment_args(Command::new("order").no_binary_name(true))
                .mut_args(|argument| argument.env(Resettable::Reset));
            let parsed = command
                .try_get_matches_from([
                    "--database-url=postgres://localhost/order",
                    "--amqp-url=amqp://localhost",
                    "--kafka-brokers=localhost",
                    &format!("--payment-deadline={deadline}"),
                ])
                .and_then(|matches| Config::from_arg_matches(&matches));
            match parsed {
                Ok(config) => {
                    assert!(is_taken, "{deadline}");
                    assert!(config.payment_deadline.as_secs() % 86_400 == 0);
                }
                Err(error) => {
                    let error = error.to_string();
                    assert!(!is_taken && error.contains("<PAYMENT_DEADLINE>"), "{error}");
                }
            }
        }
    }
}
