//! The environment variables that services share, to be flattened into a service's own `Config`.
//!
//! Every variable has a command-line flag of the same name, so that `--help` lists them all.

use std::{net::SocketAddr, time::Duration};

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

use crate::http::{AdminToken, AdminTokenParser, allowed_host};

/// The HTTP server of the process.
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

    /// Hosts that requests may be for, with commas between them, besides `localhost`, `127.0.0.1`,
    /// `[::1]`, `gateway` and the name of the service: those under which a proxy in front is reached.
    #[arg(id = "ALLOWED_HOSTS", long = "allowed-hosts", env = "ALLOWED_HOSTS", value_delimiter = ',',
          value_parser = allowed_host)]
    pub allowed_hosts: Vec<String>,
}

/// Who may do what only the people of the shop may: restock, list orders, act at the console.
#[derive(Args, Clone, Debug, Default)]
pub struct AdminArgs {
    /// What such a request has to bring, as `Authorization: Bearer ...`: at least 16 visible ASCII characters. Without
    /// it everybody may send one.
    #[arg(id = "ADMIN_TOKEN", long = "admin-token", env = "ADMIN_TOKEN", hide_env_values = true,
          value_parser = AdminTokenParser)]
    pub token: Option<AdminToken>,
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
    /// How long running tasks get to finish once the process was asked to stop, for example `8s`.
    #[arg(id = "SHUTDOWN_TIMEOUT", long = "shutdown-timeout", env = "SHUTDOWN_TIMEOUT", default_value = "8s",
          value_parser = humantime::parse_duration)]
    pub(crate) timeout: Duration,
}

fn log_filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text).map_err(|error| error.to_string())?;
    Ok(text.to_owned())
}
