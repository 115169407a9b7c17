//! The configuration of the service.

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
}
