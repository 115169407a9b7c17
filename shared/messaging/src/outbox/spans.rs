use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::trace::{Span, SpanKind, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};

use super::publish::PublishError;
use super::row::Row;
use crate::cause::Cause;
use crate::span::OpenSpan;
use crate::transport::Transport;

/// Spans of publishing, by the OpenTelemetry conventions for messaging.
///
/// Rows without a trace context get no spans, and when nothing is exported no row has one: then
/// all of this costs nothing.
#[derive(Clone)]
pub(crate) struct PublishSpans {
    tracer: Arc<BoxedTracer>,
}

impl Default for PublishSpans {
    fn default() -> Self {
        Self {
            tracer: Arc::new(global::tracer("messaging")),
        }
    }
}

impl PublishSpans {
    /// For each row, a span for its wait in the outbox, which ends here, and below it one for
    /// publishing, which is still open.
    pub(crate) fn of_rows(&self, transport: Transport, rows: &[Row]) -> Vec<PublishSpan> {
        rows.iter().map(|row| self.of_row(transport, row)).collect()
    }

    fn of_row(&self, transport: Transport, row: &Row) -> PublishSpan {
        let Some(traceparent) = &row.traceparent else {
            return PublishSpan::default();
        };
        let cause = Cause::from_traceparent(Some(traceparent.clone()));
        // Most are of a trace that nobody exports.
        if !cause.is_sampled() {
            return PublishSpan::default();
        }
        let parent = cause.context();
        let wait = self
            .tracer
            .span_builder("wait outbox")
            .with_kind(SpanKind::Internal)
            .with_start_time(SystemTime::from(row.created_at.to_jiff()))
            .start_with_context(&*self.tracer, &parent);
        if !wait.is_recording() {
            return PublishSpan::default();
        }
        let parent = parent.with_span(wait);

        let destination = row.destination_name(transport);
        let mut span = self
            .tracer
            .span_builder(format!("send {destination}"))
            .with_kind(SpanKind::Producer)
            .start_with_context(&*self.tracer, &parent);
        parent.span().end();
        span.set_attributes(transport.attributes("send", destination));
        span.set_attribute(KeyValue::new(
            "messaging.message.id",
            row.message_id.to_string(),
        ));
        let key = match transport {
            Transport::RabbitMq => "messaging.rabbitmq.destination.routing_key",
            Transport::Kafka => "messaging.kafka.message.key",
        };
        span.set_attribute(KeyValue::new(key, row.routing_key.clone()));
        let cause = Cause::from_context(
            &Context::new().with_remote_span_context(span.span_context().clone()),
        );
        PublishSpan {
            span: span.into(),
            cause,
        }
    }
}

/// An open span around publishing a row, if its trace is recorded.
#[derive(Default)]
pub(crate) struct PublishSpan {
    span: OpenSpan,
    cause: Cause,
}

impl PublishSpan {
    /// What to send along: this span, or whatever the row says when this is not recorded.
    pub(crate) fn traceparent<'a>(&'a self, row: &'a Row) -> Option<&'a str> {
        self.cause.traceparent().or(row.traceparent.as_deref())
    }

    pub(crate) fn end(&mut self, result: &Result<(), PublishError>) {
        self.span.end(result.as_ref().err());
    }
}
