use std::borrow::Cow;
use std::sync::Arc;

use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::trace::{Link, Span, SpanContext, SpanKind, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};

use super::runner::Outcome;
use crate::cause::Cause;
use crate::handler::Received;
use crate::span::OpenSpan;
use crate::transport::Transport;

/// Spans of handling, by the OpenTelemetry conventions for messaging.
///
/// The context in which a message was created is the parent of its spans as well as a link, so
/// that one trace shows one order. A message without a context, or of a trace that nobody exports, gets
/// no spans: for most messages all of this costs nothing.
#[derive(Clone)]
pub(crate) struct ProcessSpans {
    tracer: Arc<BoxedTracer>,
}

impl Default for ProcessSpans {
    fn default() -> Self {
        Self {
            tracer: Arc::new(global::tracer("messaging")),
        }
    }
}

impl ProcessSpans {
    pub(super) fn tracer(&self) -> &BoxedTracer {
        &self.tracer
    }

    /// The span for handling a delivery; what follows from the message is caused by this span.
    pub(crate) fn of_delivery<M>(
        &self,
        queue: &str,
        exchange: &str,
        routing_key: &str,
        received: &mut Received<M>,
    ) -> ProcessSpan {
        let key = || {
            let key = "messaging.rabbitmq.destination.routing_key";
            vec![KeyValue::new(key, routing_key.to_owned())]
        };
        let destination = || format!("{exchange}:{routing_key}:{queue}");
        self.process(Transport::RabbitMq, received, destination, key)
    }

    /// The span for handling a record of a topic.
    pub(crate) fn of_record<M>(
        &self,
        group: &str,
        topic: &str,
        partition: i32,
        offset: i64,
        received: &mut Received<M>,
    ) -> ProcessSpan {
        let position = || {
            let partition = partition.to_string();
            vec![
                KeyValue::new("messaging.destination.partition.id", partition),
                KeyValue::new("messaging.kafka.offset", offset),
                KeyValue::new("messaging.consumer.group.name", group.to_owned()),
            ]
        };
        self.process(Transport::Kafka, received, || topic.to_owned(), position)
    }

    fn process<M>(
        &self,
        transport: Transport,
        received: &mut Received<M>,
        destination: impl FnOnce() -> String,
        more: impl FnOnce() -> Vec<KeyValue>,
    ) -> ProcessSpan {
        if !received.cause.is_sampled() {
            return ProcessSpan::default();
        }
        let parent = received.cause.context();
        let creation: SpanContext = parent.span().span_context().clone();
        let destination = destination();
        let mut span = self
            .tracer
            .span_builder(Cow::Owned(format!("process {destination}")))
            .with_kind(SpanKind::Consumer)
            .with_links(vec![Link::with_context(creation)])
            .start_with_context(&*self.tracer, &parent);
        if !span.is_recording() {
            return ProcessSpan::default();
        }
        span.set_attributes(transport.attributes("process", destination));
        span.set_attribute(KeyValue::new(
            "messaging.message.id",
            received.id.to_string(),
        ));
        span.set_attributes(more());
        let context = Context::new().with_remote_span_context(span.span_context().clone());
        received.cause = Cause::from_context(&context);
        ProcessSpan { span: span.into() }
    }
}

/// An open span around handling a message, if its trace is recorded.
#[derive(Default)]
pub(crate) struct ProcessSpan {
    span: OpenSpan,
}

impl ProcessSpan {
    /// It says whether the message was recognised: then handling it again had no effect.
    pub(crate) fn end(&mut self, outcome: &Outcome) {
        if matches!(outcome, Outcome::Duplicate) {
            self.span
                .note(KeyValue::new("spillway.inbox.duplicate", true));
        }
        self.span.end(outcome.failure());
    }
}

#[cfg(test)]
mod tests;
