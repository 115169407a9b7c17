//! The environment variables that services share, to be flattened into a service's own `Config`.
//!
//! Every variable has a command-line flag of the same name, so that `--help` lists them all.

use std::{net::SocketAddr, time::Duration};

use clap::{Args, ValueEnum};
use secrecy::SecretString;
use tracing_subscriber::EnvFilter;

/// Where the HTTP server of the process listens.
#[derive(Args, Clone, Debug)]
pub struct HttpArgs {
    /// Address and port of the HTTP server.
    #[arg(
        id = "HTTP_ADDR",
        long = "http-addr",
        env = "HTTP_ADDR",
        default_value = "0.0.0.0:8080"
    )]
    pub addr: SocketAddr,
}

/// The service's own database.
#[derive(Args, Clone, Debug)]
pub struct DatabaseArgs {
    /// PostgreSQL URL with user and password.
    // A secret, so it is neither printed by `Debug` nor echoed in a complaint about its syntax.
    #[arg(id = "DATABASE_URL", long = "database-url", env = "DATABASE_URL", hide_env_values = true, value_parser = secret)]
    pub url: SecretString,

    /// How many connections the pool opens at most.
    #[arg(id = "DATABASE_POOL_SIZE", long = "database-pool-size", env = "DATABASE_POOL_SIZE", default_value_t = 10,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub pool_size: u32,
}

/// Logs and traces. [`run`](crate::run) reads these by itself: a service's `Config` leaves them out.
#[derive(Args, Clone, Debug)]
pub struct TelemetryArgs {
    /// How log lines look.
    #[arg(
        id = "LOG_FORMAT",
        long = "log-format",
        env = "LOG_FORMAT",
        default_value = "pretty"
    )]
    pub log_format: LogFormat,

    /// Which log events are written, for example `info,messaging=debug`.
    #[arg(id = "RUST_LOG", long = "log", env = "RUST_LOG", default_value = "info", value_parser = log_filter)]
    pub log_filter: String,

    /// OTLP gRPC endpoint that receives traces, for example `http://collector:4317`; no traces without it.
    #[arg(
        id = "OTEL_EXPORTER_OTLP_ENDPOINT",
        long = "otlp-endpoint",
        env = "OTEL_EXPORTER_OTLP_ENDPOINT"
    )]
    pub otlp_endpoint: Option<String>,
}

/// The look of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object per line, for a log store.
    Json,
    /// One readable line per event, for people.
    Pretty,
}

/// How long a stopping process may take. Read by [`run`](crate::run).
#[derive(Args, Clone, Debug)]
pub(crate) struct ShutdownArgs {
    /// Seconds that running tasks get to finish once the process was asked to stop.
    #[arg(id = "SHUTDOWN_TIMEOUT", long = "shutdown-timeout", env = "SHUTDOWN_TIMEOUT", default_value = "8", value_parser = seconds)]
    pub(crate) timeout: Duration,
}

/// A clap value parser for secrets such as passwords: accepts anything, so an error never echoes one.
pub fn secret(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(SecretString::from(text))
}

/// A clap value parser for durations given in seconds, for example `8` or `0.5`.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "expected a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn log_filter(text: &str) -> Result<String, String> {
    // A variable that Compose passes on without a value.
    let text = if text.is_empty() { "info" } else { text };
    EnvFilter::try_new(text).map_err(|error| error.to_string())?;
    Ok(text.to_owned())
}
