use std::time::Duration;

use opentelemetry::metrics::{Counter, Gauge, Histogram};
use opentelemetry::{KeyValue, global};

use crate::outbox::{Backlog, Transport};

/// Instruments, named by the OpenTelemetry conventions for messaging where those have a name.
pub(crate) struct Metrics {
    sent: Counter<u64>,
    refused: Counter<u64>,
    consumed: Counter<u64>,
    process_duration: Histogram<f64>,
    duplicates: Counter<u64>,
    retries: Counter<u64>,
    dead_letters: Counter<u64>,
    outbox_rows: Gauge<i64>,
    outbox_oldest: Gauge<f64>,
    lag: Gauge<i64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let meter = global::meter("messaging");
        let counter = |name: &'static str, text: &'static str| {
            meter.u64_counter(name).with_description(text).build()
        };
        Self {
            sent: counter(
                "messaging.client.sent.messages",
                "Messages that a broker has confirmed.",
            ),
            refused: counter(
                "spillway.outbox.refused",
                "Publishes that a broker has refused.",
            ),
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
            outbox_rows: meter
                .i64_gauge("spillway.outbox.rows")
                .with_description("Messages waiting to be published, counted up to OUTBOX_LIMIT.")
                .build(),
            outbox_oldest: meter
                .f64_gauge("spillway.outbox.oldest")
                .with_description("How long the oldest message has been waiting.")
                .with_unit("s")
                .build(),
            lag: meter
                .i64_gauge("spillway.consumer.lag")
                .with_description("Messages of assigned partitions that are not yet committed.")
                .build(),
        }
    }

    pub(crate) fn relayed(&self, transport: Transport, confirmed: usize, refused: usize) {
        let system = [KeyValue::new("messaging.system", transport.as_str())];
        self.sent.add(confirmed as u64, &system);
        self.refused.add(refused as u64, &system);
    }

    pub(crate) fn consumed(&self, destination: &'static str, count: usize, duration: Duration) {
        let destination = [KeyValue::new("messaging.destination.name", destination)];
        self.consumed.add(count as u64, &destination);
        self.process_duration
            .record(duration.as_secs_f64(), &destination);
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

    pub(crate) fn backlog(&self, transport: Transport, backlog: Backlog) {
        let system = [KeyValue::new("messaging.system", transport.as_str())];
        self.outbox_rows.record(backlog.rows, &system);
        self.outbox_oldest
            .record(backlog.oldest.as_secs_f64(), &system);
    }

    pub(crate) fn lag(&self, topic: &'static str, messages: i64) {
        self.lag.record(
            messages,
            &[KeyValue::new("messaging.destination.name", topic)],
        );
    }
}
