use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use contracts::topology::Topic;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Header, Headers, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use crate::setting;

const TIME_LIMIT: Duration = Duration::from_secs(10);
/// Nothing for so long means that the broker is away.
const SILENCE: Duration = Duration::from_secs(30);

/// The broker answers whoever gathers earlier when so many bytes wait.
const ENOUGH: &str = "1048576";

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
        Self::at_the_end(topic, &kafka_client()?)
    }

    /// The same for a reader to whom the moment does not matter: the broker collects records for so long before it
    /// answers, which costs less than an answer for each of them.
    pub fn gather(topic: Topic, time: Duration) -> Result<Self> {
        let mut config = kafka_client()?;
        config
            .set("fetch.wait.max.ms", time.as_millis().to_string())
            .set("fetch.min.bytes", ENOUGH);
        Self::at_the_end(topic, &config)
    }

    fn at_the_end(topic: Topic, client: &ClientConfig) -> Result<Self> {
        let mut config = client.clone();
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
        Some(Record {
            message_type: header(&record, "ce_type")?.to_owned(),
            key: String::from_utf8_lossy(record.key()?).into_owned(),
        })
    }
}

/// Reads a topic from these offsets, such as [`Offset::Beginning`] or the last few of each partition, to its
/// present end, and returns what `read` makes of the records: partition by partition, in the order of the
/// offsets. It belongs to no group and commits nothing, so nobody else notices. Blocks the thread.
///
/// # Errors
///
/// When the broker cannot be reached or falls silent before the end.
pub fn read_all<T>(
    topic: Topic,
    from: Offset,
    mut read: impl FnMut(&BorrowedMessage<'_>) -> Option<T>,
) -> Result<Vec<T>> {
    let mut config = kafka_client()?;
    config
        .set("group.id", "e2e")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true");
    let consumer: BaseConsumer = config.create()?;
    let mut starts = TopicPartitionList::new();
    for partition in 0..topic.partitions {
        starts.add_partition_offset(topic.name, partition, from)?;
    }
    consumer.assign(&starts)?;
    let mut unread: HashSet<i32> = (0..topic.partitions).collect();
    let mut found = Vec::new();
    while !unread.is_empty() {
        match consumer.poll(SILENCE) {
            Some(Ok(record)) => {
                found.extend(read(&record).map(|one| (record.partition(), record.offset(), one)));
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => drop(unread.remove(&partition)),
            Some(Err(error)) => return Err(error).context(topic.name),
            None => bail!("{} does not come to its end", topic.name),
        }
    }
    found.sort_unstable_by_key(|(partition, offset, _)| (*partition, *offset));
    Ok(found.into_iter().map(|(_, _, one)| one).collect())
}

/// A header of a record, if it is there and UTF-8.
pub fn header<'r>(record: &'r impl Message, name: &str) -> Option<&'r str> {
    let headers = record.headers()?;
    // The client panics when it is asked for a header whose name is not UTF-8.
    let readable = |index| catch_unwind(AssertUnwindSafe(|| headers.try_get(index)));
    let mut readable = (0..headers.count()).filter_map(|index| readable(index).ok()?);
    let found = readable.find(|header| header.key == name)?;
    std::str::from_utf8(found.value?).ok()
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
