use std::time::Duration;

use anyhow::Context;
use contracts::topology::Topic;
use futures::future::join_all;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer, PurgeConfig};
use tokio::time::timeout;

use super::client::Kafka;
use super::watchdog::Watchdog;
use super::{headers, topics};
use crate::faults::crash_point::{self, CrashPoint};
use crate::outbox::{Publish, PublishError, PublishSpans, Row};
use crate::transport::Transport;

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
    /// The CloudEvents `source` of what is published.
    source: String,
    spans: PublishSpans,
    producer: Option<FutureProducer<Watchdog>>,
}

impl KafkaPublisher {
    pub(crate) fn new(
        kafka: Kafka,
        topics: Vec<Topic>,
        source: String,
        spans: PublishSpans,
    ) -> Self {
        Self {
            kafka,
            topics,
            source,
            spans,
            producer: None,
        }
    }

    async fn try_publish(&mut self, rows: &[Row]) -> anyhow::Result<Vec<Result<(), PublishError>>> {
        let producer = self.producer().await?;
        let mut spans = self.spans.of_rows(Transport::Kafka, rows);
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
            span.end(result);
        }
        Ok(results)
    }

    /// The producer, created together with the topics if it is not there.
    async fn producer(&mut self) -> anyhow::Result<FutureProducer<Watchdog>> {
        if let Some(producer) = &self.producer {
            return Ok(producer.clone());
        }
        let producer = self.open().await?;
        self.producer = Some(producer.clone());
        Ok(producer)
    }

    async fn open(&self) -> anyhow::Result<FutureProducer<Watchdog>> {
        topics::with_admin(&self.kafka, async |admin| {
            topics::create_missing(&self.kafka, admin, &self.topics)
                .await
                .map(drop)
        })
        .await?;
        let producer = self
            .kafka
            .config()
            .set("enable.idempotence", "true")
            .set("acks", "all")
            // A window is handed over at once, so waiting for more would only add latency.
            .set("linger.ms", "0")
            // 0 is "for ever": the limit is on the window as a whole.
            .set("message.timeout.ms", "0")
            .create_with_context(self.kafka.watchdog())
            .context("cannot create a Kafka producer")?;
        Ok(producer)
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

fn classify(error: &KafkaError) -> PublishError {
    match error.rdkafka_error_code() {
        Some(
            code @ (RDKafkaErrorCode::MessageSizeTooLarge
            | RDKafkaErrorCode::InvalidMessage
            | RDKafkaErrorCode::InvalidRecord
            | RDKafkaErrorCode::PolicyViolation),
        ) => PublishError::Refused(code.to_string()),
        Some(code @ RDKafkaErrorCode::TopicAuthorizationFailed) => {
            PublishError::Closed(code.to_string())
        }
        _ => PublishError::Unavailable(error.to_string()),
    }
}
