//! The configuration of the service, from the environment or the command line.

use std::time::Duration;

use database::DatabaseArgs;
use messaging::MessagingArgs;
use runtime::config::HttpArgs;

/// What can be configured.
#[derive(clap::Args)]
pub struct Config {
    /// Where requests are answered.
    #[command(flatten)]
    pub http: HttpArgs,

    /// The service's own database.
    #[command(flatten)]
    pub database: DatabaseArgs,

    /// Both brokers.
    #[command(flatten)]
    pub messaging: MessagingArgs,

    /// How long a confirmed order waits for its payment before it is cancelled, for example `15m` or `1d`.
    #[arg(id = "PAYMENT_DEADLINE", long = "payment-deadline", env = "PAYMENT_DEADLINE", default_value = "15m",
          value_parser = humantime::parse_duration)]
    pub payment_deadline: Duration,
}
