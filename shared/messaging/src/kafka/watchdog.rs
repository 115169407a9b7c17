use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use rdkafka::{ClientContext, Statistics};
use tracing::warn;

use crate::consume::ConsumeMetrics;

/// How often librdkafka reports, in milliseconds.
pub(crate) const REPORT_INTERVAL: &str = "2000";
/// How many reports in a row may show a consumer that gets nowhere: 20 seconds, more than a
/// rebalance takes with a dead member in the group.
const PATIENCE: u64 = 10;

/// Follows what librdkafka reports about itself.
///
/// A consumer can stay out of its group for ever after a broker has restarted, without an error:
/// a broker that shuts down may answer a last question with an empty list of brokers, and
/// librdkafka 2.12 then forgets them all and asks nobody again. Only a new client helps, so
/// somebody has to notice: see [`Watchdog::stuck`].
#[derive(Clone)]
pub(crate) struct Watchdog {
    /// Shared by all clients of the process.
    connected: Arc<AtomicBool>,
    client: Arc<Client>,
    /// Where a consumer's lag is counted, also while it is not getting anywhere.
    counted: Option<(&'static str, Arc<ConsumeMetrics>)>,
}

#[derive(Default)]
struct Client {
    lag: AtomicI64,
    reports: AtomicU64,
    /// Reports in a row that show no progress where there should be some.
    idle_reports: AtomicU64,
    /// Messages that wait do so on purpose.
    paused: AtomicBool,
}

impl Watchdog {
    pub(crate) fn new(connected: Arc<AtomicBool>) -> Self {
        Self {
            connected,
            client: Arc::default(),
            counted: None,
        }
    }

    /// For a consumer of this topic.
    pub(crate) fn counting(mut self, topic: &'static str, metrics: Arc<ConsumeMetrics>) -> Self {
        self.counted = Some((topic, metrics));
        self
    }

    /// Messages that are not yet committed, over all assigned partitions.
    pub(crate) fn lag(&self) -> i64 {
        self.client.lag.load(Ordering::Relaxed)
    }

    /// The consumer is at work: whatever was counted against it no longer matters.
    pub(crate) fn progress(&self) {
        self.client.idle_reports.store(0, Ordering::Relaxed);
    }

    /// Whether the consumer leaves messages where they are, on purpose. It still has to have its place in
    /// the group.
    pub(crate) fn leave_messages(&self, on_purpose: bool) {
        self.client.paused.store(on_purpose, Ordering::Relaxed);
        self.progress();
    }

    /// Resolves when a consumer that waits for messages should be replaced: it has no place in its
    /// group, or messages wait that it does not get, or it has stopped reporting at all. While
    /// Kafka is really away that replaces one idle client by another.
    pub(crate) async fn stuck(&self) {
        loop {
            let seen = self.client.reports.load(Ordering::Relaxed);
            tokio::time::sleep(Duration::from_secs(2 * PATIENCE)).await;
            let silent = self.client.reports.load(Ordering::Relaxed) == seen;
            if silent || self.client.idle_reports.load(Ordering::Relaxed) > PATIENCE {
                return;
            }
        }
    }
}

impl ClientContext for Watchdog {
    fn stats(&self, statistics: Statistics) {
        let up = statistics
            .brokers
            .values()
            .any(|broker| broker.state == "UP");
        self.connected.store(up, Ordering::Relaxed);

        let partitions = statistics
            .topics
            .values()
            .flat_map(|topic| topic.partitions.values());
        let lag: i64 = partitions
            .map(|partition| partition.consumer_lag.max(0))
            .sum();
        self.client.lag.store(lag, Ordering::Relaxed);
        if let Some((topic, metrics)) = &self.counted {
            metrics.lag(topic, lag);
        }

        self.client.reports.fetch_add(1, Ordering::Relaxed);
        let joined = statistics
            .cgrp
            .is_some_and(|group| group.join_state == "steady");
        let should_move = up && lag > 0 && !self.client.paused.load(Ordering::Relaxed);
        if !joined || should_move {
            self.client.idle_reports.fetch_add(1, Ordering::Relaxed);
        } else {
            self.progress();
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // librdkafka repeats itself for as long as a broker is away; say it once.
        if self.connected.swap(false, Ordering::Relaxed) {
            let error = error.to_string();
            warn!(
                error,
                reason, "Kafka connection lost, reconnecting: {reason}"
            );
        }
    }
}

impl ConsumerContext for Watchdog {}
