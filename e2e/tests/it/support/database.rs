//! The databases of the services, for what no API shows or breaks.

use std::str::FromStr;

use anyhow::Result;
use harness::setting;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};

/// A connection to the database of a service.
pub(crate) async fn database(service: &str) -> Result<PgConnection> {
    let server = PgConnectOptions::from_str(&setting("TEST_DATABASE_URL")?)?;
    Ok(server.database(service).connect().await?)
}
