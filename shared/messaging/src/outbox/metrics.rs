use std::collections::HashMap;
use std::time::Duration;

use opentelemetry::metrics::{Counter, Gauge, Histogram};
use opentelemetry::{KeyValue, global};

use super::backlog::Backlog;
use super::publish::PublishError;
use super::row::Row;
use crate::transport::Transport;

/// Instruments of publishing, named by the OpenTelemetry conventions for messaging where those
/// have a name.
pub(crate) struct OutboxMetrics {
    sent: Counter<u64>,
    refused: Counter<u64>,
    send_duration: Histogram<f64>,
    rows: Gauge<i64>,
    oldest: Gauge<f64>,
}

impl Default for OutboxMetrics {
    fn default() -> Self {
        let meter = global::meter("messaging");
        Self {
            sent: meter
                .u64_counter("messaging.client.sent.messages")
                .with_description("Messages that a broker has confirmed.")
                .build(),
            refused: meter
                .u64_counter("spillway.outbox.refused")
                .with_description("Publishes that a broker has refused.")
                .build(),
            send_duration: meter
                .f64_histogram("messaging.client.operation.duration")
                .with_description("Time until a window of messages was confirmed.")
                .with_unit("s")
                .build(),
            rows: meter
                .i64_gauge("spillway.outbox.rows")
                .with_description("Messages waiting to be published, counted up to OUTBOX_LIMIT.")
                .build(),
            oldest: meter
                .f64_gauge("spillway.outbox.oldest")
                .with_description("How long the oldest message has been waiting.")
                .with_unit("s")
                .build(),
        }
    }
}

impl OutboxMetrics {
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
                Err(PublishError::Refused(_) | PublishError::Closed(_)) => *refused += 1,
                Err(PublishError::Unavailable(_)) => {}
            }
        }
        for (sent, refused, row) in destinations.into_values() {
            let attributes = transport.attributes("send", row.destination_name(transport));
            self.sent.add(sent, &attributes);
            self.refused.add(refused, &attributes);
            if sent > 0 {
                self.send_duration
                    .record(duration.as_secs_f64(), &attributes);
            }
        }
    }

    pub(crate) fn backlog(&self, transport: Transport, backlog: Backlog) {
        let system = [KeyValue::new("messaging.system", transport.as_str())];
        self.rows.record(backlog.rows, &system);
        self.oldest.record(backlog.oldest.as_secs_f64(), &system);
    }
}
