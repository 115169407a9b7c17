use anyhow::ensure;
use futures::future::{Ready, ready};

use super::Bus;

impl Bus {
    /// For health: fails unless RabbitMQ answered when it was last needed.
    ///
    /// # Errors
    ///
    /// The check fails when the last attempt to use RabbitMQ failed, or none was made yet.
    pub fn rabbitmq_check(&self) -> impl Fn() -> Ready<anyhow::Result<()>> + Send + Sync + use<> {
        let rabbitmq = self.inner.rabbitmq.clone();
        move || ready(connected(rabbitmq.is_connected()))
    }

    /// For health: fails while RabbitMQ refuses to declare something that this service needs.
    ///
    /// # Errors
    ///
    /// The check fails with what is refused and why, for example a queue that somebody declared with
    /// other arguments.
    pub fn topology_check(&self) -> impl Fn() -> Ready<anyhow::Result<()>> + Send + Sync + use<> {
        let rabbitmq = self.inner.rabbitmq.clone();
        move || ready(rabbitmq.refusals().check())
    }

    /// For health: fails unless a Kafka broker is connected.
    ///
    /// # Errors
    ///
    /// The check fails when the client library has reported that none is, or nothing yet.
    pub fn kafka_check(&self) -> impl Fn() -> Ready<anyhow::Result<()>> + Send + Sync + use<> {
        let kafka = self.inner.kafka.clone();
        move || ready(connected(kafka.is_connected()))
    }
}

fn connected(is_connected: bool) -> anyhow::Result<()> {
    ensure!(is_connected, "not connected");
    Ok(())
}
