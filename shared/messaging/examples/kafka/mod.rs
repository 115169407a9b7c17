//! What `kafka_producer` and `kafka_consumer` explain, for the programs that come after them.

use std::{env, process::exit, time::Duration};

use anyhow::{Context, Result, anyhow};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::message::BorrowedMessage;
use rdkafka::producer::{FutureProducer, FutureRecord};
use tokio::time::timeout;
use uuid::Uuid;

const TIMEOUT: Duration = Duration::from_secs(10);

/// A topic for one run. Unlike a queue it belongs to no connection, so it has to be deleted.
pub(crate) struct Topic {
    pub(crate) name: String,
    admin: AdminClient<DefaultClientContext>,
    producer: FutureProducer,
}

impl Topic {
    pub(crate) async fn create(prefix: &str, partitions: i32) -> Result<Self> {
        let admin: AdminClient<_> = config().create()?;
        if let Err(error) = admin.inner().fetch_metadata(None, Duration::from_secs(5)) {
            let start = "`./dev up` or `docker compose up -d kafka`";
            eprintln!("No Kafka at {}: {error}. Start it: {start}", brokers());
            exit(1);
        }
        let name = format!("{prefix}-{}", Uuid::now_v7());
        // -1: as many replicas as the broker makes by default.
        let topic = NewTopic::new(&name, partitions, TopicReplication::Fixed(-1));
        for created in admin.create_topics([&topic], &options()).await? {
            created.map_err(|(name, error)| anyhow!("create topic {name}: {error}"))?;
        }
        let producer = config().set("message.timeout.ms", "10000").create()?;
        Ok(Self {
            name,
            admin,
            producer,
        })
    }

    /// Returns once the broker has the record.
    pub(crate) async fn send(&self, record: FutureRecord<'_, (), String>) -> Result<()> {
        let sent = self.producer.send(record, TIMEOUT).await;
        sent.map_err(|(error, _)| error)?;
        Ok(())
    }

    pub(crate) async fn delete(self) -> Result<()> {
        for deleted in self.admin.delete_topics(&[&self.name], &options()).await? {
            deleted.map_err(|(name, error)| anyhow!("delete topic {name}: {error}"))?;
        }
        Ok(())
    }
}

/// A member of a group, which starts with the first offset.
pub(crate) fn consumer(topic: &Topic, group: &str) -> Result<StreamConsumer> {
    let mut config = config();
    config.set("group.id", format!("{}.{group}", topic.name));
    config.set("auto.offset.reset", "earliest");
    let consumer: StreamConsumer = config.create()?;
    consumer.subscribe(&[&topic.name])?;
    Ok(consumer)
}

pub(crate) async fn receive(consumer: &StreamConsumer) -> Result<BorrowedMessage<'_>> {
    let record = timeout(TIMEOUT, consumer.recv()).await;
    Ok(record.context("nothing arrives")??)
}

fn config() -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers());
    config
}

fn brokers() -> String {
    env::var("KAFKA_BROKERS").unwrap_or_else(|_| "localhost:9092".into())
}

/// Waits until the topic is there, or gone, not only until the broker has agreed.
fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(TIMEOUT))
}
