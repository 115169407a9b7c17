use std::time::Duration;

use anyhow::{Context, Result};
use contracts::topology::Topic;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, Headers, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use crate::setting;

const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Reads what is written into a Kafka topic from now on, beside all consumers of its own.
pub struct TopicReader {
    consumer: BaseConsumer,
}

/// What a record says about itself before its body is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The CloudEvents type.
    pub message_type: String,
    /// The key.
    pub key: String,
}

impl TopicReader {
    /// Starts at the present end of the topic: whatever is written after this call is read.
    pub fn follow(topic: Topic) -> Result<Self> {
        let mut config = kafka_client()?;
        config
            .set("group.id", "e2e")
            .set("enable.auto.commit", "false")
            .set("check.crcs", "false");
        let consumer: BaseConsumer = config.create()?;
        let mut ends = TopicPartitionList::new();
        for partition in 0..topic.partitions {
            let (_, end) = consumer
                .fetch_watermarks(topic.name, partition, TIME_LIMIT)
                .context(topic.name)?;
            ends.add_partition_offset(topic.name, partition, Offset::Offset(end))?;
        }
        consumer.assign(&ends)?;
        Ok(Self { consumer })
    }

    /// The next record, if one comes in time. Blocks the thread.
    #[must_use]
    pub fn next(&self, wait: Duration) -> Option<Record> {
        let record = self.consumer.poll(wait)?.ok()?;
        let message_type = record
            .headers()?
            .iter()
            .find(|header| header.key == "ce_type")?
            .value?;
        Some(Record {
            message_type: String::from_utf8_lossy(message_type).into_owned(),
            key: String::from_utf8_lossy(record.key()?).into_owned(),
        })
    }
}

/// Writes records into a Kafka topic, as somebody might who is none of our services.
pub struct TopicWriter {
    producer: FutureProducer,
}

impl TopicWriter {
    /// Connects to `KAFKA_BROKERS`.
    pub fn connect() -> Result<Self> {
        Ok(Self {
            producer: kafka_client()?.set("linger.ms", "0").create()?,
        })
    }

    /// Writes one record and returns its offset.
    pub async fn write(
        &self,
        (topic, partition): (&str, i32),
        key: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<i64> {
        let headers = headers
            .iter()
            .fold(OwnedHeaders::new(), |all, (key, value)| {
                all.insert(Header {
                    key,
                    value: Some(*value),
                })
            });
        let record = FutureRecord::to(topic)
            .partition(partition)
            .key(key)
            .headers(headers)
            .payload(body);
        let sent = self.producer.send(record, TIME_LIMIT).await;
        Ok(sent.map_err(|(error, _)| error)?.offset)
    }
}

impl TopicWriter {
    /// Writes a record that was read before, as it is and into its partition.
    pub async fn write_again(&self, record: &OwnedMessage) -> Result<()> {
        let mut again = FutureRecord::to(record.topic()).partition(record.partition());
        again.key = record.key();
        again.payload = record.payload();
        again.headers = record.headers().cloned();
        let sent = self.producer.send(again, TIME_LIMIT).await;
        sent.map(drop).map_err(|(error, _)| error.into())
    }
}

/// How to reach `KAFKA_BROKERS`. The published listener asks for no user, the one inside the network does.
pub fn kafka_client() -> Result<ClientConfig> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", setting("KAFKA_BROKERS")?);
    if let Ok(user) = setting("KAFKA_USERNAME") {
        config
            .set("security.protocol", "SASL_PLAINTEXT")
            .set("sasl.mechanism", "PLAIN")
            .set("sasl.username", user)
            .set("sasl.password", setting("KAFKA_PASSWORD")?);
    }
    Ok(config)
}
