//! The configuration of the service.

use std::time::Duration;

use database::DatabaseArgs;
use messaging::MessagingArgs;
use runtime::config::{AdminArgs, HttpArgs};

/// What can be set, by environment variables or flags.
#[derive(clap::Args)]
pub struct Config {
    /// Where to listen.
    #[command(flatten)]
    pub http: HttpArgs,
    /// Who may restock.
    #[command(flatten)]
    pub admin: AdminArgs,
    /// Where the tables are.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Where the brokers are.
    #[command(flatten)]
    pub messaging: MessagingArgs,

    /// How long after an order was placed it is known what was decided about it, for example `90d`. For ever without
    /// this. At least as long as `INBOX_RETENTION`. An order that is asked about later than that is refused.
    #[arg(id = "RESERVATIONS_KEPT", long = "reservations-kept", env = "RESERVATIONS_KEPT",
          value_parser = messaging::parse_interval)]
    pub reservations_kept: Option<Duration>,

    /// How long after a delivery its `Idempotency-Key` is known. For ever without this.
    #[arg(id = "IDEMPOTENCY_KEYS_KEPT", long = "idempotency-keys-kept", env = "IDEMPOTENCY_KEYS_KEPT",
          value_parser = messaging::parse_interval)]
    pub idempotency_keys_kept: Option<Duration>,
}
