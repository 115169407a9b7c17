use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use rdkafka::client::DefaultClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use rdkafka::statistics::Partition;
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
            .filter(|partition| is_fetched(partition))
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

    /// That a position is gone from the log is told nowhere else.
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        match &self.counted {
            Some((topic, metrics)) if is_reset(facility, text) => {
                metrics.offset_reset(topic);
                warn!(
                    topic,
                    text, "topic {topic} is read from elsewhere, records may be missed: {text}"
                );
            }
            _ => DefaultClientContext.log(level, facility, text),
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

/// Whether librdkafka says that a partition is read on from another offset than the next, because the broker no
/// longer has that one. A partition without a committed offset is none of these.
fn is_reset(facility: &str, text: &str) -> bool {
    facility == "OFFSET" && text.contains("]: offset reset (at ")
}

/// Whether this client reads the partition. One that has moved to another consumer is reported on, with its last
/// figures, for as long as the client lives.
fn is_fetched(partition: &Partition) -> bool {
    !matches!(&*partition.fetch_state, "none" | "stopping" | "stopped")
}

#[cfg(test)]
mod tests {
    use rdkafka::statistics::{Broker, ConsumerGroup, Topic};

    use super::*;

    /// Of a consumer that has its place in the group, with one partition in this state and a lag of 7.
    fn report(fetch_state: &str) -> Statistics {
        let broker = Broker {
            state: "UP".to_owned(),
            ..Default::default()
        };
        let group = ConsumerGroup {
            join_state: "steady".to_owned(),
            ..Default::default()
        };
        let partition = Partition {
            fetch_state: fetch_state.to_owned(),
            consumer_lag: 7,
            ..Default::default()
        };
        let topic = Topic {
            partitions: [(0, partition)].into(),
            ..Default::default()
        };
        Statistics {
            brokers: [("broker".to_owned(), broker)].into(),
            topics: [("topic".to_owned(), topic)].into(),
            cgrp: Some(group),
            ..Default::default()
        }
    }

    /// The lag, and how many reports in a row speak for a replacement.
    fn after(reports: &[Statistics]) -> (i64, u64) {
        let watchdog = Watchdog::new(Arc::default());
        for report in reports {
            watchdog.stats(report.clone());
        }
        let idle = watchdog.client.idle_reports.load(Ordering::Relaxed);
        (watchdog.lag(), idle)
    }

    #[test]
    fn messages_of_a_partition_that_is_read_should_move() {
        assert_eq!(after(&[report("active"), report("active")]), (7, 2));
    }

    #[test]
    fn a_partition_that_has_moved_away_adds_nothing_to_the_lag() {
        let moved = ["active", "stopping", "stopped", "none"].map(report);
        assert_eq!(after(&moved), (0, 0));
    }
}
