use std::collections::HashSet;
use std::time::Duration;

use anyhow::Context;
use contracts::topology::Topic;
use futures::future::join_all;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer, PurgeConfig};
use tokio::time::{Instant, timeout_at};

use super::client::Kafka;
use super::watchdog::Watchdog;
use super::{headers, topics};
use crate::faults::crash_point::{self, CrashPoint};
use crate::outbox::{Publish, PublishError, PublishSpans, Row};
use crate::transport::Transport;

/// How long a window may take before what is not confirmed of it is given up and published again.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Publishes rows of the outbox to Kafka with an idempotent producer.
///
/// Order per key: librdkafka retries in order and never gives up on a single message, so what a
/// window has for a partition is confirmed from its front. If it takes too long the rest is published again, in the
/// same order, and readers see repetitions but no message before an earlier one. A partition that
/// confirms nothing has nothing of the others published again.
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
        let deadline = Instant::now() + TIMEOUT;
        let deliveries = deliveries.into_iter().map(|delivery| async move {
            let confirmed = timeout_at(deadline, delivery.map_err(|error| classify(&error))?).await;
            match confirmed {
                Ok(Ok(Ok(_))) => Ok(()),
                Ok(Ok(Err((error, _)))) => Err(classify(&error)),
                Ok(Err(_)) => Err(unavailable("the producer was closed")),
                Err(_) => Err(unavailable("Kafka did not confirm in time")),
            }
        });
        let mut results = join_all(deliveries).await;
        hold_back(rows, &mut results);
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
            let unavailable = unavailable(&format!("{error:#}"));
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

/// What was confirmed behind a record of its key that is published again, at the last moment, is published again as
/// well. The older one would else be the last of its key.
fn hold_back(rows: &[Row], results: &mut [Result<(), PublishError>]) {
    let mut late = HashSet::new();
    for (row, result) in rows.iter().zip(results) {
        let key = (&row.destination, &row.routing_key);
        match result {
            Err(PublishError::Unavailable(_)) => {
                late.insert(key);
            }
            Ok(()) if late.contains(&key) => {
                *result = Err(unavailable(
                    "an earlier record of the key was not confirmed",
                ));
            }
            Ok(()) | Err(PublishError::Refused(_) | PublishError::Closed(_)) => {}
        }
    }
}

fn unavailable(reason: &str) -> PublishError {
    PublishError::Unavailable(reason.to_owned())
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn row(key: &str) -> Row {
        Row {
            seq: 1,
            shard: 0,
            message_id: Uuid::now_v7(),
            destination: "tests".into(),
            routing_key: key.into(),
            message_type: "test.row.v1".into(),
            traceparent: None,
            body: Vec::new(),
            created_at: jiff::Timestamp::now().into(),
            attempts: 0,
        }
    }

    #[test]
    fn whatever_is_behind_a_record_that_is_published_again_is_published_again() {
        let rows = ["a", "b", "a", "b"].map(row);
        let late = Err(unavailable("late"));
        let mut results = [Ok(()), late, Ok(()), Ok(())];
        hold_back(&rows, &mut results);
        assert_eq!(
            results.map(|result| result.is_ok()),
            [true, false, true, false]
        );
    }
}
