use std::collections::HashMap;
use std::time::Duration;

use opentelemetry::metrics::{Counter, Gauge, Histogram};
use opentelemetry::{KeyValue, global};

use crate::outbox::PublishError;
use crate::outbox::{Backlog, Row, Transport};
use crate::trace::attributes;

/// Instruments, named by the OpenTelemetry conventions for messaging where those have a name.
pub(crate) struct Metrics {
    sent: Counter<u64>,
    refused: Counter<u64>,
    consumed: Counter<u64>,
    send_duration: Histogram<f64>,
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
            send_duration: meter
                .f64_histogram("messaging.client.operation.duration")
                .with_description("Time until a window of messages was confirmed.")
                .with_unit("s")
                .build(),
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

    /// What became of a window of the outbox.
    pub(crate) fn relayed(
        &self,
        transport: Transport,
        rows: &[Row],
        results: &[Result<(), PublishError>],
        duration: Duration,
    ) {
        // Rows of one destination are counted together, because there may be hundreds of them.
        let mut destinations: HashMap<_, (u64, u64, &Row)> = HashMap::new();
        for (row, result) in rows.iter().zip(results) {
            let key = match transport {
                Transport::RabbitMq => row.routing_key.as_str(),
                // That is the key of the record.
                Transport::Kafka => "",
            };
            let destination = (row.destination.as_str(), key);
            let (sent, refused, _) = destinations.entry(destination).or_insert((0, 0, row));
            match result {
                Ok(()) => *sent += 1,
                Err(PublishError::Refused(_)) => *refused += 1,
                Err(PublishError::Unavailable(_)) => {}
            }
        }
        for (sent, refused, row) in destinations.into_values() {
            let attributes = attributes(transport, "send", row.destination_name(transport));
            self.sent.add(sent, &attributes);
            self.refused.add(refused, &attributes);
            if sent > 0 {
                self.send_duration
                    .record(duration.as_secs_f64(), &attributes);
            }
        }
    }

    /// A batch was handled, and what failed of it moved on.
    pub(crate) fn consumed(
        &self,
        transport: Transport,
        destination: &'static str,
        count: usize,
        duration: Duration,
    ) {
        let attributes = attributes(transport, "process", destination.to_owned());
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
