use std::time::Duration;

use opentelemetry::metrics::{Counter, Gauge, Histogram};
use opentelemetry::{KeyValue, global};

use crate::transport::Transport;

/// Instruments of handling, named by the OpenTelemetry conventions for messaging where those have a
/// name.
pub(crate) struct ConsumeMetrics {
    consumed: Counter<u64>,
    process_duration: Histogram<f64>,
    duplicates: Counter<u64>,
    retries: Counter<u64>,
    dead_letters: Counter<u64>,
    held: Gauge<u64>,
    unknown_types: Counter<u64>,
    offset_resets: Counter<u64>,
    lag: Gauge<i64>,
}

impl Default for ConsumeMetrics {
    fn default() -> Self {
        let meter = global::meter("messaging");
        let counter = |name: &'static str, text: &'static str| {
            meter.u64_counter(name).with_description(text).build()
        };
        Self {
            consumed: counter(
                "messaging.client.consumed.messages",
                "Messages delivered to a handler.",
            ),
            process_duration: meter
                .f64_histogram("messaging.process.duration")
                .with_description("Time to handle a batch and move on what failed.")
                .with_unit("s")
                .build(),
            duplicates: counter(
                "spillway.inbox.duplicates",
                "Deliveries of messages handled before.",
            ),
            retries: counter(
                "spillway.retries",
                "Messages sent to a delay queue or held for a retry.",
            ),
            dead_letters: counter(
                "spillway.dead_letters",
                "Messages that could not be handled.",
            ),
            held: meter
                .u64_gauge("spillway.consumer.held")
                .with_description("Messages that wait because nothing can be handled.")
                .build(),
            unknown_types: counter(
                "spillway.unknown_types",
                "Records of a topic whose type is unknown here, left to others.",
            ),
            offset_resets: counter(
                "spillway.consumer.offset_resets",
                "Times that a partition was read on from elsewhere, because its next offset was gone.",
            ),
            lag: meter
                .i64_gauge("spillway.consumer.lag")
                .with_description("Messages of assigned partitions that are not yet committed.")
                .build(),
        }
    }
}

impl ConsumeMetrics {
    /// A batch was handled, and what failed of it moved on.
    pub(crate) fn consumed(
        &self,
        transport: Transport,
        destination: &'static str,
        count: usize,
        duration: Duration,
    ) {
        let attributes = transport.attributes("process", destination.to_owned());
        self.consumed.add(count as u64, &attributes);
        self.process_duration
            .record(duration.as_secs_f64(), &attributes);
    }

    pub(crate) fn duplicates(&self, handler: &'static str, count: usize) {
        self.duplicates
            .add(count as u64, &[KeyValue::new("handler", handler)]);
    }

    pub(crate) fn retried(&self, handler: &'static str) {
        self.retries.add(1, &[KeyValue::new("handler", handler)]);
    }

    pub(crate) fn dead_lettered(&self, handler: &'static str) {
        self.dead_letters
            .add(1, &[KeyValue::new("handler", handler)]);
    }

    pub(crate) fn held(&self, destination: &'static str, error_type: &str, messages: usize) {
        let attributes = [
            KeyValue::new("messaging.destination.name", destination),
            KeyValue::new("error.type", error_type.to_owned()),
        ];
        self.held.record(messages as u64, &attributes);
    }

    pub(crate) fn unknown_type(&self, topic: &'static str) {
        self.unknown_types
            .add(1, &[KeyValue::new("messaging.destination.name", topic)]);
    }

    pub(crate) fn offset_reset(&self, topic: &'static str) {
        self.offset_resets
            .add(1, &[KeyValue::new("messaging.destination.name", topic)]);
    }

    pub(crate) fn lag(&self, topic: &'static str, messages: i64) {
        self.lag.record(
            messages,
            &[KeyValue::new("messaging.destination.name", topic)],
        );
    }
}
