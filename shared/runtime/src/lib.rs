//! What every service process needs and no service should write again.
//!
//! | module | what it gives |
//! |---|---|
//! | [`run`] | the `main` of a service: command line, telemetry, signals, exit code |
//! | [`Lifecycle`] | one token, one set of tasks, one deadline; a dead task stops the process |
//! | [`config`] | the variables that services share |
//! | [`health`] | readiness checks, required or merely informational |
//! | [`http`] | the edge: problem answers, extractors, OpenAPI, `/health`, `/metrics` |
//! | [`telemetry`] | logs, metrics and traces |
//!
//! A service's `main.rs` is a wiring list:
//!
//! ```no_run
//! use database::DatabaseArgs;
//! use runtime::{Lifecycle, config::HttpArgs, health::Health, http};
//! use utoipa_axum::router::OpenApiRouter;
//!
//! #[derive(clap::Args)]
//! struct Config {
//!     #[command(flatten)]
//!     http: HttpArgs,
//!     #[command(flatten)]
//!     database: DatabaseArgs,
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     runtime::run("inventory", start)
//! }
//!
//! async fn start(config: Config, life: &Lifecycle) -> anyhow::Result<()> {
//!     let pool = database::connect(&config.database, "inventory").await?;
//!     let health = Health::default();
//!     health.required("database", database::check(&pool));
//!     let app = http::app("inventory", OpenApiRouter::new(), health, &config.http.allowed_hosts);
//!     life.spawn("http", |token| http::serve(config.http.addr, app, token));
//!     Ok(())
//! }
//! ```
//!
//! The same binary called as `inventory health` asks the running process whether it is ready, which
//! is what a container's health check needs where there is no curl.

mod run;
pub use run::run;

mod lifecycle;
pub use lifecycle::Lifecycle;

pub mod config;
pub mod health;
pub mod http;
pub mod telemetry;

mod probe;

/// Returns memory to the system sooner than the default allocator, and is faster. Where it may use
/// huge pages an idle service takes twice the memory: containers set `MIMALLOC_ALLOW_THP=0`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
