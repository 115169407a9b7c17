use lapin::types::ShortString;

use super::channel::{ConfirmChannel, Outgoing};
use super::properties::{self, short_string};
use crate::outbox::{Publish, PublishError, PublishSpans, Row, own_exchange};
use crate::transport::Transport;

/// Publishes rows of the outbox to RabbitMQ.
pub(crate) struct OutboxPublisher {
    pub(crate) channel: ConfirmChannel,
    /// The CloudEvents `source` of what is published.
    pub(crate) source: String,
    pub(crate) spans: PublishSpans,
}

impl Publish for OutboxPublisher {
    async fn prepare(&mut self) -> anyhow::Result<()> {
        self.channel.open().await.map(drop)
    }

    async fn publish(&mut self, rows: &[Row]) -> Vec<Result<(), PublishError>> {
        let mut spans = self.spans.of_rows(Transport::RabbitMq, rows);
        let window: Vec<Outgoing> = rows
            .iter()
            .zip(&spans)
            .map(|(row, span)| Outgoing {
                exchange: exchange_of(row),
                routing_key: short_string(&row.routing_key),
                properties: properties::encode(row, &self.source, span.traceparent(row)),
                body: row.body.clone(),
            })
            .collect();
        let results = self.channel.publish(&window).await;
        for (span, result) in spans.iter_mut().zip(&results) {
            span.end(result);
        }
        results
    }
}

/// Rows without an exchange were written by an older version, which used the default exchange.
fn exchange_of(row: &Row) -> ShortString {
    if row.destination.is_empty() {
        short_string(&own_exchange(&row.routing_key))
    } else {
        short_string(&row.destination)
    }
}
