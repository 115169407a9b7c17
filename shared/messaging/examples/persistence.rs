//! What survives a restart of the broker: `cargo run -p first-programs --example persistence write`,
//! restart RabbitMQ, and the same with `read`.

mod rabbitmq;

use std::env;

use anyhow::{Result, bail};
use lapin::types::AMQPValue;
use lapin::{BasicProperties, Channel, options::*};
use rabbitmq::publish;

const USAGE: &str = "cargo run -p first-programs --example persistence";
const TYPES: [&str; 2] = ["classic", "quorum"];
/// AMQP's delivery modes. A message without one is transient.
const MODES: [(&str, u8); 2] = [("transient", 1), ("persistent", 2)];

#[tokio::main]
async fn main() -> Result<()> {
    let phase = env::args().nth(1);
    let (connection, channel) = rabbitmq::connect().await?;
    match phase.as_deref() {
        None | Some("write") => write(&channel).await?,
        Some("read") => read(&channel).await?,
        Some(_) => bail!("usage: {USAGE} [write|read]"),
    }
    connection.close(200, "done".into()).await?;
    Ok(())
}

async fn write(channel: &Channel) -> Result<()> {
    for kind in TYPES {
        let queue = declare(channel, kind).await?;
        let purge = QueuePurgeOptions::default();
        channel.queue_purge(queue.as_str().into(), purge).await?;
        for (body, mode) in MODES {
            // The confirm of a persistent message says that it is on disk, not only in memory.
            let properties = BasicProperties::default().with_delivery_mode(mode);
            publish(channel, "", &queue, body, properties).await?;
            println!("{kind} queue: wrote a {body} message");
        }
    }
    println!("Now restart RabbitMQ (docker compose restart rabbitmq), then: {USAGE} read");
    Ok(())
}

async fn read(channel: &Channel) -> Result<()> {
    let mut queues = Vec::new();
    for kind in TYPES {
        let queue = declare(channel, kind).await?;
        // Not acknowledged: should this fail half-way, it can be repeated.
        let mut found = Vec::new();
        let options = BasicGetOptions::default();
        while let Some(message) = channel.basic_get(queue.as_str().into(), options).await? {
            found.push(String::from_utf8_lossy(&message.data).into_owned());
        }
        println!("{kind} queue: found {found:?}");
        queues.push(queue);
    }
    for queue in queues {
        channel
            .queue_delete(queue.into(), QueueDeleteOptions::default())
            .await?;
    }
    Ok(())
}

/// Both queues are durable; one that is not would itself be gone. A classic queue keeps only persistent
/// messages. A quorum queue writes every message to its log and keeps them all.
async fn declare(channel: &Channel, kind: &str) -> Result<String> {
    let arguments = [("x-queue-type", AMQPValue::LongString(kind.into()))];
    rabbitmq::declare(channel, &format!("persistence.{kind}"), arguments).await
}
