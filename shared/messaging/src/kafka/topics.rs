use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use contracts::topology::Topic;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;
use tracing::info;

use super::client::Kafka;

const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) const CLEANUP_POLICY: &str = "cleanup.policy";

/// A connection for looking at topics and changing them.
pub(super) type Admin = Arc<AdminClient<DefaultClientContext>>;

/// Does some work with a connection of its own: one that has been idle for long may know brokers that are
/// no more.
pub(super) async fn with_admin<T>(
    kafka: &Kafka,
    work: impl AsyncFnOnce(&Admin) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let admin = kafka.config().create();
    let admin: Admin = Arc::new(admin.context("cannot create a Kafka admin client")?);
    let done = work(&admin).await;
    // Dropping it waits for its threads.
    tokio::task::spawn_blocking(move || drop(admin));
    done
}

/// Creates the topics that a service owns where they are missing. Those that were there are returned, with
/// the number of their partitions.
///
/// # Errors
///
/// When Kafka is away or not ready. What it refuses for good is noted.
pub(super) async fn create_missing<'t>(
    kafka: &Kafka,
    admin: &Admin,
    topics: &'t [Topic],
) -> anyhow::Result<Vec<(&'t Topic, usize)>> {
    let partitions = partitions(admin).await?;
    let (mut there, mut missing) = (Vec::new(), Vec::new());
    for topic in topics {
        match partitions.get(topic.name) {
            Some(number) => there.push((topic, *number)),
            None => missing.push(describe(topic)),
        }
    }
    if missing.is_empty() {
        return Ok(there);
    }
    let created = admin
        .create_topics(&missing, &options())
        .await
        .context("cannot create topics")?;
    for result in created {
        match result {
            Ok(topic) => {
                info!(topic, "created topic {topic}");
                kafka.note(&topic, None);
            }
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, error)) if is_final(error) => {
                kafka.note(&topic, Some(format!("it cannot be created: {error}")));
            }
            Err((topic, error)) => bail!("cannot create topic `{topic}`: {error}"),
        }
    }
    Ok(there)
}

pub(super) fn options() -> AdminOptions {
    AdminOptions::new()
        .operation_timeout(Some(TIMEOUT))
        .request_timeout(Some(TIMEOUT))
}

pub(super) fn cleanup_policy(topic: &Topic) -> &'static str {
    if topic.compacted { "compact" } else { "delete" }
}

/// The number of partitions of every topic that there is.
async fn partitions(admin: &Admin) -> anyhow::Result<HashMap<String, usize>> {
    let admin = Arc::clone(admin);
    let asked = tokio::task::spawn_blocking(move || admin.inner().fetch_metadata(None, TIMEOUT));
    let metadata = asked.await?.context("cannot list the topics of Kafka")?;
    let topics = metadata.topics().iter();
    let topics = topics.map(|topic| (topic.name().to_owned(), topic.partitions().len()));
    Ok(topics.collect())
}

fn describe(topic: &Topic) -> NewTopic<'static> {
    // One copy is all that a single broker can hold; a cluster sets its own default.
    NewTopic::new(topic.name, topic.partitions, TopicReplication::Fixed(-1))
        .set(CLEANUP_POLICY, cleanup_policy(topic))
}

/// The broker will say the same the next time. Anything else is tried again, for example while it has
/// just started.
fn is_final(error: RDKafkaErrorCode) -> bool {
    matches!(
        error,
        RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
            | RDKafkaErrorCode::PolicyViolation
            | RDKafkaErrorCode::InvalidTopic
    )
}
