//! The configuration of the service.

use std::net::SocketAddr;

use clap::builder::BoolishValueParser;
use database::DatabaseArgs;
use messaging::MessagingArgs;
use runtime::config::{AdminArgs, HttpArgs};
use secrecy::SecretString;

/// What can be set, by environment variables or flags.
#[derive(clap::Args)]
pub struct Config {
    /// Where to listen.
    #[command(flatten)]
    pub http: HttpArgs,
    /// Who may act.
    #[command(flatten)]
    pub admin: AdminArgs,
    /// Where the tables are.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Where the brokers are.
    #[command(flatten)]
    pub messaging: MessagingArgs,
    /// What else the console needs.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// What only the console needs.
#[derive(clap::Args)]
pub struct ConsoleArgs {
    /// RabbitMQ's management API, as `http://user:password@host:port`.
    #[arg(long, env = "RABBITMQ_API_URL", hide_env_values = true)]
    pub rabbitmq_api_url: SecretString,

    /// The virtual host whose queues are shown.
    #[arg(long, env = "RABBITMQ_VHOST", default_value = "spillway")]
    pub rabbitmq_vhost: String,

    /// Where spans are received, over OTLP by gRPC.
    #[arg(long, env = "OTLP_ADDR", default_value = "0.0.0.0:4317")]
    pub otlp_addr: SocketAddr,

    /// Shows everything and changes nothing.
    #[arg(long, env = "CONSOLE_READONLY", default_value_t = false, value_parser = BoolishValueParser::new(),
          action = clap::ArgAction::Set)]
    pub readonly: bool,
}
