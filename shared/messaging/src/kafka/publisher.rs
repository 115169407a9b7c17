use std::time::Duration;
use std::vec;

use anyhow::Context;
use contracts::topology::Topic;
use futures::future::join_all;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer, PurgeConfig};
use tokio::time::{Instant, timeout_at};

use self::order::{by_key, hold_back};
use super::client::Kafka;
use super::watchdog::Watchdog;
use super::{headers, topics};
use crate::faults::crash_point::{self, CrashPoint};
use crate::outbox::{Publish, PublishError, PublishSpans, Row};
use crate::transport::Transport;

mod order;

/// How long a window may take before what is not confirmed of it is given up and published again.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A row, what is sent with it, and what became of it.
type Record<'r> = (&'r Row, (OwnedHeaders, &'r mut Result<(), PublishError>));

/// Publishes rows of the outbox to Kafka with an idempotent producer.
///
/// Order per key: librdkafka retries in order and never gives up on a single message, so what a
/// window has for a partition is confirmed from its front. If it takes too long the rest is published again, in the
/// same order, and readers see repetitions but no message before an earlier one. A partition that
/// confirms nothing has nothing of the others published again.
///
/// A broker refuses a batch behind one that it has not taken only if it has had something of the producer in that
/// partition. A new producer that writes to a partition whose leader just comes back can see its first batch refused
/// and its second one taken (KAFKA-15591). So of each key the first record of a window goes out alone, and the others
/// once it is confirmed.
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
        let deadline = Instant::now() + TIMEOUT;
        let mut results: Vec<Result<(), PublishError>> = vec![Ok(()); rows.len()];
        let records = rows.iter().zip(&spans).zip(&mut results);
        let records = records.map(|((row, span), result)| {
            let headers = headers::encode(row, &self.source, span.traceparent(row));
            (row, (headers, result))
        });
        let mut sent = Vec::new();
        for records in by_key(records) {
            let mut records = records.into_iter();
            if let Some((row, (headers, result))) = records.next() {
                let first = send(&producer, row, headers);
                sent.push(send_others(&producer, first, result, records, deadline));
            }
        }
        crash_point::reach(CrashPoint::KafkaPublished);
        join_all(sent).await;
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
            // What may go out is handed over at once, so waiting for more would only add latency.
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

fn send(
    producer: &FutureProducer<Watchdog>,
    row: &Row,
    headers: OwnedHeaders,
) -> Result<DeliveryFuture, PublishError> {
    let record = FutureRecord::to(&row.destination)
        .key(&row.routing_key)
        .payload(&row.body)
        .headers(headers);
    let sent = producer.send_result(record);
    sent.map_err(|(error, _)| classify(&error))
}

/// Waits for the confirm of the first record of a key before the others are sent. Behind one that was not taken nothing
/// is sent.
async fn send_others(
    producer: &FutureProducer<Watchdog>,
    first: Result<DeliveryFuture, PublishError>,
    result: &mut Result<(), PublishError>,
    others: vec::IntoIter<Record<'_>>,
    deadline: Instant,
) {
    settle(result, first, deadline).await;
    let mut is_broken = matches!(result, Err(PublishError::Unavailable(_)));
    let mut deliveries = Vec::with_capacity(others.len());
    for (row, (headers, result)) in others {
        if is_broken {
            break;
        }
        let sent = send(producer, row, headers);
        is_broken = matches!(sent, Err(PublishError::Unavailable(_)));
        deliveries.push(settle(result, sent, deadline));
    }
    join_all(deliveries).await;
}

/// Waits for the confirm of one record.
async fn settle(
    result: &mut Result<(), PublishError>,
    sent: Result<DeliveryFuture, PublishError>,
    deadline: Instant,
) {
    *result = match sent {
        Ok(delivery) => match timeout_at(deadline, delivery).await {
            Ok(Ok(Ok(_))) => Ok(()),
            Ok(Ok(Err((error, _)))) => Err(classify(&error)),
            Ok(Err(_)) => Err(unavailable("the producer was closed")),
            Err(_) => Err(unavailable("Kafka did not confirm in time")),
        },
        Err(error) => Err(error),
    };
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
