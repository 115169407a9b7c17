use std::time::Duration;

use anyhow::{Context, Result};
use contracts::topology::Topic;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Headers;
use rdkafka::{Message, Offset, TopicPartitionList};
use uuid::Uuid;

use harness::kafka_client;

const TIME_LIMIT: Duration = Duration::from_secs(10);

/// What a topic has kept about one key.
pub(super) struct Story {
    /// All facts of the topic, from the first that it has.
    pub(super) facts: u64,
    /// The types of those with the key, in the order in which they were read.
    pub(super) types: Vec<String>,
}

/// Reads a topic from its first record to its present end. It belongs to no group and commits nothing,
/// so nobody else notices. Blocks the thread.
pub(super) fn read(topic: Topic, key: Uuid) -> Result<Story> {
    let mut config = kafka_client()?;
    config
        .set("group.id", "tour")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true");
    let consumer: BaseConsumer = config.create()?;
    let mut starts = TopicPartitionList::new();
    for partition in 0..topic.partitions {
        starts.add_partition_offset(topic.name, partition, Offset::Beginning)?;
    }
    consumer.assign(&starts)?;

    let (mut facts, mut types, mut ended) = (0, Vec::new(), 0);
    while ended < topic.partitions {
        let next = consumer.poll(TIME_LIMIT);
        let record = match next.with_context(|| format!("{} falls silent", topic.name))? {
            Err(rdkafka::error::KafkaError::PartitionEOF(_)) => {
                ended += 1;
                continue;
            }
            other => other?,
        };
        facts += 1;
        if record.key() == Some(key.to_string().as_bytes()) {
            types.push(type_of(&record));
        }
    }
    Ok(Story { facts, types })
}

fn type_of(record: &impl Message) -> String {
    let headers = record.headers().map(|headers| headers.iter());
    let mut headers = headers.into_iter().flatten();
    let value = headers.find_map(|header| (header.key == "ce_type").then_some(header.value)?);
    String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
}
