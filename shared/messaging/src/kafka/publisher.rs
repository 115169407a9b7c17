use std::time::Duration;

use anyhow::Context;
use contracts::topology::Topic;
use futures::future::join_all;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer, PurgeConfig};
use tokio::time::timeout;
use tracing::info;

use super::client::Kafka;
use super::headers;
use super::watchdog::Watch;
use crate::faults::crash_point::{self, CrashPoint};
use crate::outbox::{Publish, PublishError};
use crate::outbox::{Row, Transport};
use crate::trace::Tracing;

/// How long a window may take before it is given up and published again.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Publishes rows of the outbox to Kafka with an idempotent producer.
///
/// Order per key: librdkafka retries in order and never gives up on a single message, so a
/// window is confirmed from its front. If it takes too long all of it is published again, in the
/// same order, and readers see repetitions but no message before an earlier one.
pub(crate) struct KafkaPublisher {
    kafka: Kafka,
    topics: Vec<Topic>,
    source: String,
    tracing: Tracing,
    producer: Option<FutureProducer<Watch>>,
}

impl KafkaPublisher {
    pub(crate) fn new(kafka: Kafka, topics: Vec<Topic>, source: String, tracing: Tracing) -> Self {
        Self {
            kafka,
            topics,
            source,
            tracing,
            producer: None,
        }
    }

    async fn try_publish(&mut self, rows: &[Row]) -> anyhow::Result<Vec<Result<(), PublishError>>> {
        let producer = self.producer().await?;
        let mut spans = self.tracing.publish_spans(Transport::Kafka, rows);
        let mut deliveries = Vec::with_capacity(rows.len());
        for (row, span) in rows.iter().zip(&spans) {
            let record = FutureRecord::to(&row.destination)
                .key(&row.routing_key)
                .payload(&row.body)
                .headers(headers::encode(row, &self.source, span.traceparent(row)));
            deliveries.push(producer.send_result(record).map_err(|(error, _)| error));
        }
        crash_point::reach(CrashPoint::KafkaPublished);
        let deliveries = join_all(deliveries.into_iter().map(async |delivery| match delivery {
            Ok(delivery) => match delivery.await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err((error, _))) => Err(classify(&error)),
                Err(_) => Err(PublishError::Unavailable(
                    "the producer was closed".to_owned(),
                )),
            },
            Err(error) => Err(classify(&error)),
        }));
        let results = timeout(TIMEOUT, deliveries)
            .await
            .context("Kafka did not confirm in time")?;
        for (span, result) in spans.iter_mut().zip(&results) {
            span.end(result.as_ref().err());
        }
        Ok(results)
    }

    /// The producer, created together with the topics if it is not there.
    async fn producer(&mut self) -> anyhow::Result<FutureProducer<Watch>> {
        if let Some(producer) = &self.producer {
            return Ok(producer.clone());
        }
        let producer = self.open().await?;
        self.producer = Some(producer.clone());
        Ok(producer)
    }

    async fn open(&self) -> anyhow::Result<FutureProducer<Watch>> {
        self.create_topics().await?;
        let producer = self
            .kafka
            .config()
            .set("enable.idempotence", "true")
            .set("acks", "all")
            // A window is handed over at once, so waiting for more would only add latency.
            .set("linger.ms", "0")
            // 0 is "for ever": the limit is on the window as a whole.
            .set("message.timeout.ms", "0")
            .create_with_context(self.kafka.watch())
            .context("cannot create a Kafka producer")?;
        Ok(producer)
    }

    /// Creates the topics that this service owns, unless they exist.
    async fn create_topics(&self) -> anyhow::Result<()> {
        let admin: AdminClient<DefaultClientContext> = self
            .kafka
            .config()
            .create()
            .context("cannot create a Kafka admin client")?;
        let topics: Vec<_> = self.topics.iter().map(describe).collect();
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
                Ok(topic) => info!(topic, "created topic"),
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, error)) => anyhow::bail!("cannot create topic `{topic}`: {error}"),
            }
        }
        Ok(())
    }
}

impl Publish for KafkaPublisher {
    async fn prepare(&mut self) -> anyhow::Result<()> {
        self.producer().await.map(drop)
    }

    async fn publish(&mut self, rows: &[Row]) -> Vec<Result<(), PublishError>> {
        let results = self.try_publish(rows).await.unwrap_or_else(|error| {
            let unavailable = PublishError::Unavailable(format!("{error:#}"));
            rows.iter().map(|_| Err(unavailable.clone())).collect()
        });
        let failed = |result: &Result<_, _>| matches!(result, Err(PublishError::Unavailable(_)));
        if results.iter().any(failed)
            && let Some(producer) = self.producer.take()
        {
            // Nothing of this window may arrive after it has been published again. A producer can
            // also be broken for good, after an error that librdkafka calls fatal.
            producer.purge(PurgeConfig::default().queue().inflight());
            // Dropping it waits for its threads.
            tokio::task::spawn_blocking(move || drop(producer));
        }
        results
    }
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

fn classify(error: &KafkaError) -> PublishError {
    match error.rdkafka_error_code() {
        Some(
            code @ (RDKafkaErrorCode::MessageSizeTooLarge
            | RDKafkaErrorCode::InvalidMessage
            | RDKafkaErrorCode::InvalidRecord
            | RDKafkaErrorCode::PolicyViolation
            | RDKafkaErrorCode::TopicAuthorizationFailed),
        ) => PublishError::Refused(code.to_string()),
        _ => PublishError::Unavailable(error.to_string()),
    }
}
