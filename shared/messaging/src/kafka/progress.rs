use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use contracts::topology::Topic;
use jiff::Timestamp;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use tokio::time::timeout;
use tracing::debug;

use super::client::Kafka;
use super::heads::Heads;

const TIMEOUT: Duration = Duration::from_secs(3);

/// How far a topic has grown, and how far each consumer group has come in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicProgress {
    /// Name of the topic.
    pub topic: &'static str,
    /// For each partition the offset that the next record will get.
    pub ends: Vec<i64>,
    /// Every consumer group that is named after this topic.
    pub groups: Vec<GroupProgress>,
}

/// How far one consumer group has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupProgress {
    /// Name of the group: `<service>.<topic>`.
    pub group: String,
    /// How many consumers belong to it.
    pub members: usize,
    /// For each partition the offset that the group has committed, if it has committed any.
    pub committed: Vec<Option<i64>>,
    /// For each partition the first record that is not committed, if there is one and it could be read.
    pub heads: Vec<Option<Head>>,
}

/// The record for which a partition waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// When its producer published it, by the clock of the producer.
    pub time: Timestamp,
    /// Its key, if that is text.
    pub key: Option<String>,
}

/// Looks at the progress of consumer groups from outside: it belongs to none, commits nothing and hands
/// out no record.
///
/// A client that has lost sight of the broker is replaced after the look that failed.
pub struct ProgressWatch {
    kafka: Kafka,
    topics: Vec<Topic>,
    clients: Arc<Mutex<Option<Clients>>>,
}

struct Clients {
    /// Belongs to no group.
    observer: BaseConsumer,
    /// One for each group, because a client asks for the offsets of its own group only. None subscribes.
    groups: BTreeMap<String, BaseConsumer>,
    heads: Heads,
}

impl ProgressWatch {
    pub(crate) fn new(kafka: Kafka, topics: Vec<Topic>) -> Self {
        Self {
            kafka,
            topics,
            clients: Arc::default(),
        }
    }

    /// Looks once, at all topics.
    ///
    /// # Errors
    ///
    /// When Kafka does not answer within a few seconds.
    pub async fn look(&self) -> anyhow::Result<Vec<TopicProgress>> {
        let (kafka, topics) = (self.kafka.clone(), self.topics.clone());
        let clients = Arc::clone(&self.clients);
        let looked = tokio::task::spawn_blocking(move || {
            let mut clients = clients.lock().unwrap_or_else(PoisonError::into_inner);
            let seen = match clients.take() {
                Some(kept) => Ok(kept),
                None => Clients::new(&kafka),
            };
            let mut seen = seen?;
            let progress = seen.look(&kafka, &topics)?;
            *clients = Some(seen);
            Ok(progress)
        });
        timeout(4 * TIMEOUT, looked)
            .await
            .context("Kafka does not answer")??
    }
}

impl Clients {
    fn new(kafka: &Kafka) -> anyhow::Result<Self> {
        Ok(Self {
            observer: client(kafka, "spillway.observer")?,
            groups: BTreeMap::new(),
            heads: Heads::new(client(kafka, "spillway.heads")?),
        })
    }

    fn look(&mut self, kafka: &Kafka, topics: &[Topic]) -> anyhow::Result<Vec<TopicProgress>> {
        let listed = self.observer.fetch_group_list(None, TIMEOUT)?;
        let listed = listed.groups().iter();
        let groups: Vec<_> = listed
            .map(|group| (group.name().to_owned(), group.members().len()))
            .collect();
        // A client is memory and threads, and a group that is gone needs none.
        self.groups
            .retain(|known, _| groups.iter().any(|(group, _)| group == known));
        let mut all = Vec::new();
        for topic in topics {
            let Some(ends) = self.ends(topic.name)? else {
                continue;
            };
            let mut of_topic = Vec::new();
            for (group, members) in &groups {
                let is_named_after =
                    group.rsplit_once('.').map(|(_, name)| name) == Some(topic.name);
                if is_named_after {
                    // One whose coordinator does not answer is left out, and the others are shown.
                    match self.group(kafka, topic.name, &ends, group, *members) {
                        Ok(progress) => of_topic.push(progress),
                        Err(error) => {
                            let error = format!("{error:#}");
                            debug!(error, "the progress of group {group} is unknown");
                        }
                    }
                }
            }
            of_topic.sort_by(|a, b| a.group.cmp(&b.group));
            all.push(TopicProgress {
                topic: topic.name,
                ends,
                groups: of_topic,
            });
        }
        Ok(all)
    }

    /// The end of every partition; none while the topic does not exist.
    fn ends(&self, topic: &str) -> anyhow::Result<Option<Vec<i64>>> {
        let metadata = self.observer.fetch_metadata(Some(topic), TIMEOUT)?;
        let count = metadata
            .topics()
            .first()
            .map_or(0, |of| of.partitions().len());
        if count == 0 {
            return Ok(None);
        }
        let mut wanted = partitions(topic, count);
        wanted.set_all_offsets(Offset::End)?;
        let ends = self.observer.offsets_for_times(wanted, TIMEOUT)?;
        let end = |partition| match offset(&ends, topic, partition) {
            Some(end) => Ok(end),
            None => anyhow::bail!("Kafka does not say where {topic}/{partition} ends"),
        };
        (0..count).map(end).collect::<anyhow::Result<_>>().map(Some)
    }

    fn group(
        &mut self,
        kafka: &Kafka,
        topic: &str,
        ends: &[i64],
        group: &str,
        members: usize,
    ) -> anyhow::Result<GroupProgress> {
        if !self.groups.contains_key(group) {
            self.groups.insert(group.to_owned(), client(kafka, group)?);
        }
        let consumer = self.groups.get(group).context("a client for the group")?;
        let wanted = partitions(topic, ends.len());
        let answer = consumer.committed_offsets(wanted, TIMEOUT)?;
        let committed: Vec<_> = (0..ends.len())
            .map(|partition| offset(&answer, topic, partition))
            .collect();
        let first_left = |(committed, end): (&Option<i64>, &i64)| {
            let committed = committed.unwrap_or_default();
            (committed < *end).then_some(committed)
        };
        let left: Vec<_> = committed.iter().zip(ends).map(first_left).collect();
        Ok(GroupProgress {
            group: group.to_owned(),
            members,
            heads: self.heads.read(group, topic, &left)?,
            committed,
        })
    }
}

fn client(kafka: &Kafka, group: &str) -> anyhow::Result<BaseConsumer> {
    let client = kafka
        .config()
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "false")
        // One record is wanted of each partition; what comes along with it is memory.
        .set("fetch.message.max.bytes", "4096")
        .set("queued.max.messages.kbytes", "256")
        .set("fetch.wait.max.ms", "50")
        .set("statistics.interval.ms", "0")
        .create();
    client.context("cannot create a Kafka client")
}

fn partitions(topic: &str, count: usize) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(count);
    let last = i32::try_from(count).unwrap_or(i32::MAX) - 1;
    list.add_partition_range(topic, 0, last);
    list
}

fn offset(list: &TopicPartitionList, topic: &str, partition: usize) -> Option<i64> {
    let partition = i32::try_from(partition).ok()?;
    match list.find_partition(topic, partition)?.offset() {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    }
}
