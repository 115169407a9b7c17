use anyhow::{Context, Result};
use harness::setting;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties};

/// RabbitMQ over AMQP, which knows the depth of a queue at this moment; the management API counts every
/// few seconds only.
#[derive(Debug, Clone)]
pub(super) struct Broker {
    url: String,
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

    async fn connect(&self) -> Result<(Connection, Channel)> {
        let connecting = Connection::connect(&self.url, ConnectionProperties::default());
        let connection = connecting.await.context("RabbitMQ")?;
        let channel = connection.create_channel().await?;
        Ok((connection, channel))
    }
}
