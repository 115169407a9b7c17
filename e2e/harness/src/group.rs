use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use contracts::topology::{ORDER_EVENTS, PRODUCTS, STOCK_EVENTS, STOCK_LEVELS, Topic};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use crate::kafka_client;

const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Every topic of the services.
pub const TOPICS: [Topic; 4] = [ORDER_EVENTS, STOCK_EVENTS, STOCK_LEVELS, PRODUCTS];

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

/// The consumer groups of the console, which reads all topics.
pub struct ConsoleGroups(Arc<Vec<Group>>);

impl ConsoleGroups {
    /// Looks at all of them.
    pub fn new() -> Result<Self> {
        let topics = TOPICS.into_iter();
        let groups = topics.map(|topic| Group::new(&format!("console.{}", topic.name), topic));
        Ok(Self(Arc::new(groups.collect::<Result<_>>()?)))
    }

    /// How many records the console has not committed, in all topics.
    ///
    /// # Errors
    ///
    /// When the broker cannot be reached.
    pub async fn unread(&self) -> Result<i64> {
        let groups = Arc::clone(&self.0);
        // The client blocks its thread.
        tokio::task::spawn_blocking(move || {
            let unread = groups.iter().map(Group::unread);
            let unread = unread.collect::<Result<Vec<_>>>()?.concat();
            Ok(unread.iter().sum::<i64>())
        })
        .await?
    }
}

/// How many members of a consumer group have partitions at the moment. Blocks the thread.
///
/// # Errors
///
/// When the broker cannot be reached.
pub fn members_at_work(group: &str) -> Result<usize> {
    // A version, and the lengths of two lists of which nothing follows.
    const NO_PARTITIONS: usize = 10;
    let consumer: BaseConsumer = kafka_client()?.set("group.id", "e2e").create()?;
    let groups = consumer.fetch_group_list(Some(group), TIME_LIMIT)?;
    let members = groups.groups().iter().flat_map(|group| group.members());
    let assigned = members.map(|member| member.assignment().map_or(0, <[u8]>::len));
    Ok(assigned.filter(|bytes| *bytes > NO_PARTITIONS).count())
}
