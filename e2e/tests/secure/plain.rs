//! Clients that do not encrypt, and clients that trust somebody else.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use harness::setting;
use lapin::{Connection, ConnectionProperties};
use sqlx::postgres::PgSslMode;

use crate::clients::{
    ANOTHER_AUTHORITY, TIMEOUT, authority, is_answered, kafka, password, postgres, rabbitmq,
};

#[tokio::test]
async fn rabbitmq_talks_to_nobody_who_does_not_encrypt_or_trusts_somebody_else() -> Result<()> {
    rabbitmq("e2e", &authority()?).await?;
    let refused = rabbitmq("e2e", Path::new(ANOTHER_AUTHORITY)).await;
    speaks_of(&refused.map(drop), "certificate")?;

    let (password, port) = (password("e2e")?, setting("AMQP_PORT")?);
    let plain = format!("amqp://e2e:{password}@localhost:{port}/spillway");
    let connected = Connection::connect(&plain, ConnectionProperties::default());
    // A server that waits for the end of a handshake says nothing.
    let connected = tokio::time::timeout(TIMEOUT, connected).await;
    ensure!(
        !matches!(connected, Ok(Ok(_))),
        "RabbitMQ took a client in clear"
    );
    Ok(())
}

#[tokio::test]
async fn kafka_talks_to_nobody_who_does_not_encrypt_or_trusts_somebody_else() -> Result<()> {
    let answered = async |authority: PathBuf, protocol: &'static str| -> Result<bool> {
        let mut config = kafka("e2e", &authority)?;
        config.set("security.protocol", protocol);
        tokio::task::spawn_blocking(move || is_answered(&config)).await?
    };
    ensure!(answered(authority()?, "SASL_SSL").await?);
    ensure!(!answered(ANOTHER_AUTHORITY.into(), "SASL_SSL").await?);
    for protocol in ["PLAINTEXT", "SASL_PLAINTEXT", "SSL"] {
        ensure!(!answered(authority()?, protocol).await?, "{protocol}");
    }
    Ok(())
}

#[tokio::test]
async fn postgres_talks_to_nobody_who_does_not_encrypt_or_trusts_somebody_else() -> Result<()> {
    postgres("order", "order", PgSslMode::VerifyFull, &authority()?).await?;
    let another = Path::new(ANOTHER_AUTHORITY);
    let refused = postgres("order", "order", PgSslMode::VerifyFull, another).await;
    speaks_of(&refused.map(drop), "certificate")?;
    let refused = postgres("order", "order", PgSslMode::Disable, &authority()?).await;
    speaks_of(&refused.map(drop), "no encryption")?;
    Ok(())
}

#[tokio::test]
async fn the_demo_passwords_open_nothing() -> Result<()> {
    let mut config = kafka("order", &authority()?)?;
    config.set("sasl.password", "demo-order");
    ensure!(!tokio::task::spawn_blocking(move || is_answered(&config)).await??);
    for user in ["guest", "e2e", "order", "postgres", "broker", "admin-token"] {
        let password = password(user)?;
        ensure!(password.len() >= 32 && !password.contains("demo"), "{user}");
    }
    Ok(())
}

fn speaks_of(outcome: &Result<()>, what: &str) -> Result<()> {
    let Err(error) = outcome else {
        anyhow::bail!("it is allowed");
    };
    let said = format!("{error:#} {error:?}").to_lowercase();
    ensure!(said.contains(what), "{said}");
    Ok(())
}
