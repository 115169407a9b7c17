//! Clients of the brokers and the database, as somebody on this machine has them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use harness::setting;
use lapin::tcp::OwnedTLSConfig;
use lapin::{Connection, ConnectionProperties};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, PgConnection};

pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// A certificate of an authority that has signed nothing here.
pub(crate) const ANOTHER_AUTHORITY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/secure/another-ca.pem");

/// What `./dev` has made.
pub(crate) fn made(name: &str) -> Result<PathBuf> {
    Ok(PathBuf::from(setting("SPILLWAY_SECRETS")?).join(name))
}

/// The authority that has signed the certificates of all servers.
pub(crate) fn authority() -> Result<PathBuf> {
    made("ca.pem")
}

/// The password of a user, or the admin token.
pub(crate) fn password(name: &str) -> Result<String> {
    let path = made("passwords")?.join(name);
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(text.trim().to_owned())
}

/// A connection to RabbitMQ that trusts this authority beside those of the system.
pub(crate) async fn rabbitmq(user: &str, trusted: &Path) -> Result<Connection> {
    install_provider();
    let (password, port) = (password(user)?, setting("AMQP_PORT")?);
    let config = OwnedTLSConfig {
        identity: None,
        cert_chain: Some(std::fs::read_to_string(trusted)?),
    };
    let url = format!("amqps://{user}:{password}@localhost:{port}/spillway");
    let connected = Connection::connect_with_config(
        &url,
        ConnectionProperties::default(),
        config,
        lapin::runtime::default_runtime()?,
    );
    Ok(tokio::time::timeout(TIMEOUT, connected).await??)
}

/// Settings of a client of Kafka that trusts this authority and no other.
pub(crate) fn kafka(user: &str, trusted: &Path) -> Result<ClientConfig> {
    let mut config = ClientConfig::new();
    config
        .set(
            "bootstrap.servers",
            format!("localhost:{}", setting("KAFKA_PORT")?),
        )
        .set("security.protocol", "SASL_SSL")
        .set("ssl.ca.location", trusted.display().to_string())
        .set("sasl.mechanism", "PLAIN")
        .set("sasl.username", user)
        .set("sasl.password", password(user)?)
        .set("enable.auto.commit", "false");
    Ok(config)
}

/// Whether a client with these settings gets an answer from Kafka. Blocks the thread.
pub(crate) fn is_answered(config: &ClientConfig) -> Result<bool> {
    let consumer: BaseConsumer = config.create()?;
    Ok(consumer.fetch_metadata(None, TIMEOUT).is_ok())
}

/// A session of PostgreSQL, in the database that is named like its user.
pub(crate) async fn postgres(
    user: &str,
    database: &str,
    mode: PgSslMode,
    trusted: &Path,
) -> Result<PgConnection> {
    install_provider();
    let options = PgConnectOptions::new_without_pgpass()
        .host("localhost")
        .port(setting("POSTGRES_PORT")?.parse()?)
        .username(user)
        .password(&password(user)?)
        .database(database)
        .ssl_mode(mode)
        .ssl_root_cert(trusted);
    Ok(tokio::time::timeout(TIMEOUT, options.connect()).await??)
}

/// One provider for all TLS of the process. Fails only if it is there already.
fn install_provider() {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
}
