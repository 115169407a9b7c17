use std::collections::BTreeMap;
use std::time::Duration;

use contracts::topology::Topic;
use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigSource, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use uuid::Uuid;

use super::eventually;
use super::raw_kafka::{self, RawRecord};

/// A topic of one test, and a producer that does not go through what is tested.
#[derive(Clone)]
pub(crate) struct TopicOfTest {
    pub(crate) topic: Topic,
    brokers: String,
    producer: FutureProducer,
}

impl TopicOfTest {
    /// With settings that differ from the broker's.
    pub(crate) async fn create(
        brokers: &str,
        partitions: i32,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let name: &'static str = format!("test.{}", Uuid::now_v7().simple()).leak();
        let topic = Topic {
            name,
            partitions,
            compacted: false,
        };
        let new = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        let new = settings
            .iter()
            .fold(new, |new, (key, value)| new.set(key, value));
        let created = admin(brokers)?
            .create_topics(&[new], &AdminOptions::new())
            .await?;
        anyhow::ensure!(created.iter().all(Result::is_ok), "{created:?}");
        Ok(Self {
            topic,
            brokers: brokers.to_owned(),
            producer: config(brokers).set("acks", "all").create()?,
        })
    }

    /// Puts a record into a partition by hand; returns its offset.
    pub(crate) async fn send(
        &self,
        partition: i32,
        key: &str,
        headers: OwnedHeaders,
        body: &[u8],
    ) -> anyhow::Result<i64> {
        let record = FutureRecord::to(self.topic.name)
            .partition(partition)
            .key(key)
            .payload(body)
            .headers(headers);
        let sent = self.producer.send(record, Duration::from_secs(30)).await;
        Ok(sent.map_err(|(error, _)| error)?.offset)
    }

    /// The same by a producer of other settings.
    pub(crate) async fn send_with(
        &self,
        settings: &[(&str, &str)],
        headers: OwnedHeaders,
        body: &[u8],
    ) -> anyhow::Result<()> {
        let mut config = config(&self.brokers);
        for (key, value) in settings {
            config.set(*key, *value);
        }
        let producer: FutureProducer = config.create()?;
        let record = FutureRecord::<(), _>::to(self.topic.name)
            .payload(body)
            .headers(headers);
        let sent = producer.send(record, Duration::from_secs(30)).await;
        sent.map_err(|(error, _)| error)?;
        Ok(())
    }

    /// Appends records as they are; a new topic takes a moment.
    pub(crate) async fn send_raw(
        &self,
        partition: i32,
        records: &[RawRecord],
    ) -> anyhow::Result<i64> {
        eventually("a leader", async || {
            raw_kafka::produce(&self.brokers, self.topic.name, partition, records).await
        })
        .await
    }

    pub(crate) fn admin(&self) -> anyhow::Result<AdminClient<DefaultClientContext>> {
        admin(&self.brokers)
    }

    /// Everything in the topic from its beginning on.
    pub(crate) fn records(&self) -> anyhow::Result<Records> {
        let consumer: BaseConsumer = config(&self.brokers).set("group.id", "unused").create()?;
        let mut all = TopicPartitionList::new();
        for partition in 0..self.topic.partitions {
            all.add_partition_offset(self.topic.name, partition, Offset::Beginning)?;
        }
        consumer.assign(&all)?;
        Ok(Records { consumer })
    }

    /// The offsets that a group has committed, by partition; those without are left out.
    pub(crate) fn committed(&self, group: &str) -> anyhow::Result<BTreeMap<i32, i64>> {
        let consumer: BaseConsumer = config(&self.brokers).set("group.id", group).create()?;
        let mut all = TopicPartitionList::new();
        all.add_partition_range(self.topic.name, 0, self.topic.partitions - 1);
        let offsets = consumer.committed_offsets(all, Duration::from_secs(30))?;
        Ok(offsets
            .elements()
            .iter()
            .filter_map(|element| Some((element.partition(), element.offset().to_raw()?)))
            .filter(|(_, offset)| *offset >= 0)
            .collect())
    }

    /// The members of a group that have partitions at the moment.
    pub(crate) fn members(&self, group: &str) -> anyhow::Result<Vec<String>> {
        // A version, and the lengths of two lists of which nothing follows.
        const NO_PARTITIONS: usize = 10;
        let consumer: BaseConsumer = config(&self.brokers).set("group.id", "unused").create()?;
        let groups = consumer.fetch_group_list(Some(group), Duration::from_secs(30))?;
        let members = groups.groups().iter().flat_map(|group| group.members());
        let at_work = members.filter(|member| {
            let assigned = member.assignment().map_or(0, <[u8]>::len);
            assigned > NO_PARTITIONS
        });
        Ok(at_work.map(|member| member.id().to_owned()).collect())
    }

    /// The settings that it does not have from the broker; none if there is no such topic.
    pub(crate) async fn settings(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let topic = ResourceSpecifier::Topic(self.topic.name);
        let options = AdminOptions::new();
        let described = self.admin()?.describe_configs([&topic], &options).await?;
        let entries = described.into_iter().flatten().flat_map(|it| it.entries);
        Ok(entries
            .filter(|entry| entry.source == ConfigSource::DynamicTopic)
            .map(|entry| (entry.name, entry.value.unwrap_or_default()))
            .collect())
    }

    /// The number of its partitions; none if there is no such topic.
    pub(crate) fn partitions(&self) -> anyhow::Result<usize> {
        let admin = self.admin()?;
        let metadata = admin
            .inner()
            .fetch_metadata(None, Duration::from_secs(30))?;
        let mut topics = metadata.topics().iter();
        let topic = topics.find(|topic| topic.name() == self.topic.name);
        Ok(topic.map_or(0, |topic| topic.partitions().len()))
    }

    pub(crate) async fn delete(&self) -> anyhow::Result<()> {
        self.admin()?
            .delete_topics(&[self.topic.name], &AdminOptions::new())
            .await?;
        Ok(())
    }
}

/// Reads a topic without any group.
pub(crate) struct Records {
    consumer: BaseConsumer,
}

impl Records {
    pub(crate) async fn next(&self) -> anyhow::Result<OwnedMessage> {
        eventually("a record in a topic", async || {
            let record = self.consumer.poll(Duration::ZERO).transpose()?;
            Ok(record.map(|record| record.detach()))
        })
        .await
    }
}

/// Headers as another producer might write them.
pub(crate) fn headers(pairs: &[(&str, &str)]) -> OwnedHeaders {
    pairs
        .iter()
        .fold(OwnedHeaders::new(), |headers, (key, value)| {
            let value = Some(*value);
            headers.insert(Header { key, value })
        })
}

/// A header of a record as text; empty if it is not there.
pub(crate) fn header_of(record: &OwnedMessage, name: &str) -> String {
    let headers = record.headers().into_iter().flat_map(Headers::iter);
    let mut values = headers.filter(|header| header.key == name);
    let value = values.next().and_then(|header| header.value);
    String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
}

fn admin(brokers: &str) -> anyhow::Result<AdminClient<DefaultClientContext>> {
    Ok(config(brokers).create()?)
}

fn config(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    config
}
