use std::sync::Arc;

use anyhow::{anyhow, ensure};
use futures::future::{BoxFuture, Ready, ready};

use super::Bus;
use crate::migrate::TABLES;

impl Bus {
    /// For health: fails unless the database answers, takes writes, and has these tables of the service
    /// and those of this crate, with the right to use them. While relays are answered, which write every two
    /// seconds, it asks no more than every ten.
    ///
    /// # Errors
    ///
    /// The check fails with what is wrong.
    pub fn database_check(
        &self,
        tables: &[&'static str],
    ) -> impl Fn() -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync + 'static + use<> {
        let tables = [&TABLES, tables].concat();
        let check = database::check_tables(&self.inner.consuming.pool, tables);
        self.inner.answers.spare(check)
    }

    /// For health: fails unless RabbitMQ answered when it was last needed.
    ///
    /// # Errors
    ///
    /// The check fails when the last attempt to use RabbitMQ failed, or none was made yet.
    pub fn rabbitmq_check(&self) -> impl Fn() -> Ready<anyhow::Result<()>> + Send + Sync + use<> {
        let rabbitmq = self.inner.rabbitmq.clone();
        move || ready(connected(rabbitmq.is_connected()))
    }

    /// For health: fails while a broker has something otherwise than this service wants it. The service
    /// works with what is there.
    ///
    /// # Errors
    ///
    /// The check fails with what it is and why, for example a queue that somebody declared with other
    /// arguments, or a topic with another number of partitions.
    pub fn topology_check(&self) -> impl Fn() -> Ready<anyhow::Result<()>> + Send + Sync + use<> {
        let refusals = Arc::clone(&self.inner.refusals);
        move || ready(refusals.check())
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

    /// For health: fails while consumers hold messages because nothing can be handled, and says which
    /// and why.
    ///
    /// # Errors
    ///
    /// The check fails while the database or anything else that a handler needs is away.
    pub fn consumers_check(&self) -> impl Fn() -> Ready<anyhow::Result<()>> + Send + Sync + use<> {
        let holds = Arc::clone(&self.inner.consuming.holds);
        move || ready(holds.report().map_or(Ok(()), |report| Err(anyhow!(report))))
    }
}

fn connected(is_connected: bool) -> anyhow::Result<()> {
    ensure!(is_connected, "not connected");
    Ok(())
}
