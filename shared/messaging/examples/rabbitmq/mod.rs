//! What `rabbitmq_producer` explains, for the programs that come after it.

use std::{collections::BTreeMap, env, process::exit, time::Duration};

use anyhow::{Result, anyhow, ensure};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use lapin::{options::*, uri::AMQPUri};
use tokio::time::timeout;

/// A connection with a channel on which every message is confirmed.
pub(crate) async fn connect() -> Result<(Connection, Channel)> {
    let url = env::var("AMQP_URL").unwrap_or_else(|_| "amqp://guest:guest@localhost:5672/".into());
    let mut uri: AMQPUri = url.parse().map_err(|e| anyhow!("AMQP_URL: {e}"))?;
    if uri.vhost.is_empty() {
        uri.vhost = "/".into();
    }
    let address = format!("{}:{}", uri.authority.host, uri.authority.port);
    let opening = Connection::connect_uri(uri, ConnectionProperties::default());
    let error = match timeout(Duration::from_secs(5), opening).await {
        Ok(Ok(connection)) => {
            let channel = connection.create_channel().await?;
            channel
                .confirm_select(ConfirmSelectOptions::default())
                .await?;
            return Ok((connection, channel));
        }
        Ok(Err(error)) => format!("{address}: {error}"),
        Err(_) => format!("{address}: no answer within 5 s"),
    };
    eprintln!("No RabbitMQ at {error}. Start it: `./dev up` or `docker compose up -d rabbitmq`");
    exit(1)
}

/// Declares a durable queue; without a name one that only this connection can use and that disappears
/// with it. The broker then invents the name, so that a program can run beside itself.
pub(crate) async fn declare<const N: usize>(
    channel: &Channel,
    name: &str,
    arguments: [(&str, AMQPValue); N],
) -> Result<String> {
    let options = match name {
        "" => QueueDeclareOptions::exclusive(),
        _ => QueueDeclareOptions::durable(),
    };
    let declared = channel.queue_declare(name.into(), options, table(arguments));
    Ok(declared.await?.name().to_string())
}

/// The arguments of a declaration, or the headers of a message.
pub(crate) fn table<const N: usize>(entries: [(&str, AMQPValue); N]) -> FieldTable {
    BTreeMap::from(entries.map(|(name, value)| (name.into(), value))).into()
}

/// Returns once the broker has the message.
pub(crate) async fn publish(
    channel: &Channel,
    exchange: &str,
    routing_key: &str,
    body: &str,
    properties: BasicProperties,
) -> Result<()> {
    let options = BasicPublishOptions::default();
    let (exchange, routing_key) = (exchange.into(), routing_key.into());
    let confirm = channel
        .basic_publish(exchange, routing_key, options, body.as_bytes(), properties)
        .await?;
    ensure!(
        matches!(confirm.await?, Confirmation::Ack(_)),
        "RabbitMQ refused the message"
    );
    Ok(())
}
