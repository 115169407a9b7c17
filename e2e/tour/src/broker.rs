use anyhow::{Context, Result};
use harness::setting;
use lapin::options::{BasicAckOptions, BasicGetOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties};

/// RabbitMQ over AMQP, which knows the depth of a queue at this moment; the management API counts every
/// few seconds only.
#[derive(Debug, Clone)]
pub(super) struct Broker {
    url: String,
}

/// What a dead letter says about itself.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) reason: String,
    pub(super) queue: String,
    pub(super) body: String,
}

impl Broker {
    pub(super) fn from_environment() -> Result<Self> {
        let url = setting("AMQP_URL")?;
        Ok(Self { url })
    }

    /// How many messages wait in a queue.
    pub(super) async fn depth(&self, queue: &str) -> Result<u32> {
        let (connection, channel) = self.connect().await?;
        let options = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let declared = channel.queue_declare(queue.into(), options, FieldTable::default());
        let depth = declared.await?.message_count();
        connection.close(200, "done".into()).await?;
        Ok(depth)
    }

    /// Takes the message with this id out of a queue, if it is there. Those before it are not
    /// acknowledged, so that they are in their places again when the connection is closed.
    pub(super) async fn take_out(&self, queue: &str, id: &str) -> Result<Option<Letter>> {
        let (connection, channel) = self.connect().await?;
        let mut found = None;
        while let Some(message) = channel
            .basic_get(queue.into(), BasicGetOptions::default())
            .await?
        {
            let delivery = message.delivery;
            let is_it = delivery.properties.message_id().as_ref();
            if is_it.is_some_and(|found| found.as_str() == id) {
                delivery.ack(BasicAckOptions::default()).await?;
                found = Some(Letter::new(&delivery));
                break;
            }
        }
        connection.close(200, "done".into()).await?;
        Ok(found)
    }

    async fn connect(&self) -> Result<(Connection, Channel)> {
        let connecting = Connection::connect(&self.url, ConnectionProperties::default());
        let connection = connecting.await.context("RabbitMQ")?;
        let channel = connection.create_channel().await?;
        Ok((connection, channel))
    }
}

impl Letter {
    fn new(delivery: &lapin::message::Delivery) -> Self {
        let header = |name: &str| {
            let headers = delivery.properties.headers().as_ref()?;
            let value = headers.inner().get(name)?.as_long_string()?;
            Some(value.to_string())
        };
        Self {
            reason: header("dead-letter-reason").unwrap_or_default(),
            queue: header("dead-letter-queue").unwrap_or_default(),
            body: String::from_utf8_lossy(&delivery.data).into_owned(),
        }
    }
}
