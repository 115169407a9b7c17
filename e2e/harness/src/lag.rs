use std::time::Duration;

use anyhow::{Context, Result};
use contracts::topology::Topic;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use crate::kafka_client;

const TIME_LIMIT: Duration = Duration::from_secs(10);

/// How far a consumer group is behind a topic, as seen by somebody who never joins it.
pub struct Lag {
    consumer: BaseConsumer,
    topic: Topic,
}

impl Lag {
    /// That of this group.
    ///
    /// # Errors
    ///
    /// When the client cannot be set up.
    pub fn of(group: &str, topic: Topic) -> Result<Self> {
        let mut config = kafka_client()?;
        config
            .set("group.id", group)
            .set("enable.auto.commit", "false");
        let consumer = config.create()?;
        Ok(Self { consumer, topic })
    }

    /// How many records the group has not committed. Its members commit once a second. Blocks the thread.
    ///
    /// # Errors
    ///
    /// When the broker cannot be reached.
    pub fn records(&self) -> Result<u64> {
        let name = self.topic.name;
        let mut partitions = TopicPartitionList::new();
        for partition in 0..self.topic.partitions {
            partitions.add_partition(name, partition);
        }
        let committed = self.consumer.committed_offsets(partitions, TIME_LIMIT)?;
        let mut records = 0;
        for partition in committed.elements() {
            let number = partition.partition();
            let watermarks = self.consumer.fetch_watermarks(name, number, TIME_LIMIT);
            let (low, high) = watermarks.context(name)?;
            let at = match partition.offset() {
                Offset::Offset(offset) => offset,
                // Nothing is committed yet: the group begins at the beginning.
                _ => low,
            };
            records += u64::try_from(high - at).unwrap_or_default();
        }
        Ok(records)
    }
}
