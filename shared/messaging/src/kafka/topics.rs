use std::time::Duration;

use anyhow::Context;
use contracts::topology::Topic;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;
use tracing::info;

use super::client::Kafka;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Creates the topics that a service owns, unless they exist.
pub(super) async fn create(kafka: &Kafka, topics: &[Topic]) -> anyhow::Result<()> {
    let admin: AdminClient<DefaultClientContext> = kafka
        .config()
        .create()
        .context("cannot create a Kafka admin client")?;
    let topics: Vec<_> = topics.iter().map(describe).collect();
    let options = AdminOptions::new()
        .operation_timeout(Some(TIMEOUT))
        .request_timeout(Some(TIMEOUT));
    let created = admin
        .create_topics(&topics, &options)
        .await
        .context("cannot create topics")?;
    // Dropping it waits for its threads.
    tokio::task::spawn_blocking(move || drop(admin));
    for result in created {
        match result {
            Ok(topic) => info!(topic, "created topic {topic}"),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, error)) => anyhow::bail!("cannot create topic `{topic}`: {error}"),
        }
    }
    Ok(())
}

fn describe(topic: &Topic) -> NewTopic<'static> {
    // One copy is all that a single broker can hold; a cluster sets its own default.
    let new = NewTopic::new(topic.name, topic.partitions, TopicReplication::Fixed(-1));
    if topic.compacted {
        new.set("cleanup.policy", "compact")
    } else {
        new
    }
}
