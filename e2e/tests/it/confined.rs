//! What the broker lets a service's user do: its own queues and exchanges, and nothing of anybody else.

use anyhow::{Context, Result, ensure};
use harness::{Compose, is_refused, setting};
use lapin::options::{
    BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueBindOptions,
    QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};

#[tokio::test]
async fn no_service_writes_into_a_foreign_queue() -> Result<()> {
    for service in Compose::SERVICES {
        let connection = connect(service).await?;
        for (owner, queue) in [
            ("order", "order.payment-deadlines"),
            ("inventory", "inventory.stock-commands"),
            ("inventory", "inventory.stock-commands.delay.1s"),
            ("notification", "notification.email"),
        ] {
            let by_name = publish(&connection, "", queue).await;
            is_refused(by_name).with_context(|| format!("{service} to {queue}"))?;
            if owner != service {
                let own = publish(&connection, &format!("{owner}.own"), queue).await;
                is_refused(own).with_context(|| format!("{service} by {owner}.own"))?;
                let bound = bind(&connection, queue, &format!("{service}.own")).await;
                is_refused(bound).with_context(|| format!("{service} binds {queue}"))?;
            }
        }
    }
    Ok(())
}

/// It may send to the services' queues, to hand them again what has failed, and nothing more.
#[tokio::test]
async fn the_console_takes_nothing_from_a_queue_of_a_service() -> Result<()> {
    let connection = connect("console").await?;
    for queue in ["inventory.stock-commands", "notification.email"] {
        let channel = connection.create_channel().await?;
        let delete = QueueDeleteOptions::default();
        is_refused(channel.queue_delete(queue.into(), delete).await)?;
        let channel = connection.create_channel().await?;
        let purge = QueuePurgeOptions::default();
        is_refused(channel.queue_purge(queue.into(), purge).await)?;
        let channel = connection.create_channel().await?;
        let get = BasicGetOptions::default();
        is_refused(channel.basic_get(queue.into(), get).await)?;
        let by_name = publish(&connection, "", queue).await;
        is_refused(by_name).with_context(|| queue)?;
        let bound = bind(&connection, queue, "commands").await;
        is_refused(bound).with_context(|| queue)?;
    }
    Ok(())
}

#[tokio::test]
async fn no_service_takes_anything_from_the_dead_letters() -> Result<()> {
    const QUEUE: &str = "dead-letters";
    for service in Compose::SERVICES {
        let connection = connect(service).await?;
        let channel = connection.create_channel().await?;
        let delete = QueueDeleteOptions::default();
        is_refused(channel.queue_delete(QUEUE.into(), delete).await)?;
        let channel = connection.create_channel().await?;
        let purge = QueuePurgeOptions::default();
        is_refused(channel.queue_purge(QUEUE.into(), purge).await)?;
        let channel = connection.create_channel().await?;
        let get = BasicGetOptions::default();
        is_refused(channel.basic_get(QUEUE.into(), get).await)?;
        let channel = connection.create_channel().await?;
        // Whoever may declare it may delete it as well.
        let (durable, none) = (QueueDeclareOptions::durable(), FieldTable::default());
        is_refused(channel.queue_declare(QUEUE.into(), durable, none).await)?;
    }
    Ok(())
}

async fn connect(service: &str) -> Result<Connection> {
    let address =
        setting("AMQP_URL")?.replace("e2e:demo-e2e", &format!("{service}:demo-{service}"));
    ensure!(
        address.contains(service),
        "AMQP_URL is not of the user e2e: {address}"
    );
    Ok(Connection::connect(&address, ConnectionProperties::default()).await?)
}

async fn publish(connection: &Connection, exchange: &str, key: &str) -> lapin::Result<()> {
    let channel: Channel = connection.create_channel().await?;
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await?;
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    let published = channel.basic_publish(exchange.into(), key.into(), options, b"{}", properties);
    published.await?.await.map(drop)
}

async fn bind(connection: &Connection, queue: &str, exchange: &str) -> lapin::Result<()> {
    let channel = connection.create_channel().await?;
    let (options, none) = (QueueBindOptions::default(), FieldTable::default());
    let bound = channel.queue_bind(queue.into(), exchange.into(), queue.into(), options, none);
    bound.await
}
