use std::time::Duration;

use anyhow::{Context, Result};
use contracts::topology::Topic;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use crate::kafka_client;

const TIME_LIMIT: Duration = Duration::from_secs(10);

/// A consumer group, looked at from outside: by a client that is no member of it and is kept, because a new one
/// would have to find everything out again.
pub struct Group {
    client: BaseConsumer,
    topic: Topic,
}

impl Group {
    /// The group of this name, which reads this topic.
    pub fn new(name: &str, topic: Topic) -> Result<Self> {
        let client = kafka_client()?.set("group.id", name).create()?;
        Ok(Self { client, topic })
    }

    /// For each partition how many records the group has not committed. Blocks the thread.
    ///
    /// # Errors
    ///
    /// When the broker cannot be reached.
    pub fn unread(&self) -> Result<Vec<i64>> {
        let topic = self.topic;
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_range(topic.name, 0, topic.partitions - 1);
        let committed = self
            .client
            .committed_offsets(partitions, TIME_LIMIT)
            .context(topic.name)?;
        let mut unread = Vec::new();
        for partition in 0..topic.partitions {
            let watermarks = self
                .client
                .fetch_watermarks(topic.name, partition, TIME_LIMIT);
            let (first, end) = watermarks.context(topic.name)?;
            let committed = committed.find_partition(topic.name, partition);
            let next = match committed.map(|element| element.offset()) {
                Some(Offset::Offset(offset)) => offset,
                _ => first,
            };
            unread.push(end - next);
        }
        Ok(unread)
    }
}
