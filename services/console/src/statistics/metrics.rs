use opentelemetry::metrics::Gauge;
use opentelemetry::{KeyValue, global};

use super::topics::Topics;

/// What is left to handle in topics, for whoever collects metrics. A consumer that is paused, or for long at one batch,
/// does not hear of what comes meanwhile; from here it is seen.
pub(super) struct TopicMetrics {
    lag: Gauge<u64>,
    committed: Gauge<u64>,
}

impl Default for TopicMetrics {
    fn default() -> Self {
        let meter = global::meter("console");
        let gauge = |name: &'static str, text: &'static str| {
            meter.u64_gauge(name).with_description(text).build()
        };
        Self {
            lag: gauge(
                "spillway.topic.lag",
                "Records that a consumer group has not committed yet.",
            ),
            committed: gauge(
                "spillway.topic.committed",
                "Records that a consumer group has committed.",
            ),
        }
    }
}

impl TopicMetrics {
    pub(super) fn seen(&self, topics: &Topics) {
        for (topic, state) in topics.states() {
            for (group, progress) in &state.groups {
                let attributes = [
                    KeyValue::new("messaging.destination.name", topic.to_owned()),
                    KeyValue::new("messaging.consumer.group.name", group.clone()),
                ];
                self.lag.record(progress.lag(), &attributes);
                self.committed.record(progress.committed(), &attributes);
            }
        }
    }
}
