use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use lapin::message::Delivery;
use opentelemetry::global::{self, BoxedSpan, BoxedTracer};
use opentelemetry::trace::{Link, Span, SpanContext, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};

use crate::outbox::PublishError;
use crate::outbox::{Row, Transport};
use crate::{Cause, Failure, Received};

/// Spans by the OpenTelemetry conventions for messaging.
///
/// The context in which a message was created is the parent of its spans as well as a link, so
/// that one trace shows one order. Messages without a context get no spans, and when nothing is
/// exported no message gets a context: then all of this costs nothing.
#[derive(Clone)]
pub(crate) struct Tracing {
    tracer: Arc<BoxedTracer>,
    service: &'static str,
}

impl Tracing {
    pub(crate) fn new(service: &'static str) -> Self {
        Self {
            tracer: Arc::new(global::tracer("messaging")),
            service,
        }
    }

    /// For each row, a span for its wait in the outbox, which ends here, and below it one for
    /// publishing, which is still open.
    pub(crate) fn publish_spans(&self, transport: Transport, rows: &[Row]) -> Vec<PublishSpan> {
        rows.iter()
            .map(|row| self.publish_span(transport, row))
            .collect()
    }

    fn publish_span(&self, transport: Transport, row: &Row) -> PublishSpan {
        let Some(traceparent) = &row.traceparent else {
            return PublishSpan::default();
        };
        let parent = Cause::from_traceparent(Some(traceparent.clone())).context();
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
        span.set_attributes(attributes(transport, "send", destination));
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
            span: Some(span),
            cause,
        }
    }

    /// The span for handling a delivery; what follows from the message is caused by this span.
    pub(crate) fn process_queue<M>(
        &self,
        queue: &str,
        delivery: &Delivery,
        received: &mut Received<M>,
    ) -> ProcessSpan {
        let destination = || format!("{}:{}:{queue}", delivery.exchange, delivery.routing_key);
        self.process(Transport::RabbitMq, received, destination, |span| {
            let key = delivery.routing_key.to_string();
            span.set_attribute(KeyValue::new(
                "messaging.rabbitmq.destination.routing_key",
                key,
            ));
        })
    }

    /// The span for handling a record of a topic.
    pub(crate) fn process_topic<M>(
        &self,
        topic: &str,
        partition: i32,
        offset: i64,
        received: &mut Received<M>,
    ) -> ProcessSpan {
        self.process(
            Transport::Kafka,
            received,
            || topic.to_owned(),
            |span| {
                span.set_attribute(KeyValue::new(
                    "messaging.destination.partition.id",
                    partition.to_string(),
                ));
                span.set_attribute(KeyValue::new("messaging.kafka.offset", offset));
                let group = format!("{}.{topic}", self.service);
                span.set_attribute(KeyValue::new("messaging.consumer.group.name", group));
            },
        )
    }

    fn process<M>(
        &self,
        transport: Transport,
        received: &mut Received<M>,
        destination: impl FnOnce() -> String,
        describe: impl FnOnce(&mut BoxedSpan),
    ) -> ProcessSpan {
        if received.cause == Cause::none() {
            return ProcessSpan { span: None };
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
            return ProcessSpan { span: None };
        }
        span.set_attributes(attributes(transport, "process", destination));
        span.set_attribute(KeyValue::new(
            "messaging.message.id",
            received.id.to_string(),
        ));
        describe(&mut span);
        let context = Context::new().with_remote_span_context(span.span_context().clone());
        received.cause = Cause::from_context(&context);
        ProcessSpan { span: Some(span) }
    }
}

/// What the conventions ask for on every span and metric of messaging.
pub(crate) fn attributes(
    transport: Transport,
    operation: &'static str,
    destination: String,
) -> [KeyValue; 4] {
    [
        KeyValue::new("messaging.system", transport.as_str()),
        KeyValue::new("messaging.operation.name", operation),
        KeyValue::new("messaging.operation.type", operation),
        KeyValue::new("messaging.destination.name", destination),
    ]
}

/// An open span around publishing a row, if its trace is recorded.
#[derive(Default)]
pub(crate) struct PublishSpan {
    span: Option<BoxedSpan>,
    cause: Cause,
}

impl PublishSpan {
    /// What to send along: this span, or whatever the row says when this is not recorded.
    pub(crate) fn traceparent<'a>(&'a self, row: &'a Row) -> Option<&'a str> {
        self.cause.traceparent().or(row.traceparent.as_deref())
    }

    pub(crate) fn end(&mut self, error: Option<&PublishError>) {
        end(&mut self.span, error.map(ToString::to_string));
    }
}

/// An open span around handling a message, if its trace is recorded.
pub(crate) struct ProcessSpan {
    span: Option<BoxedSpan>,
}

impl ProcessSpan {
    pub(crate) fn end(&mut self, failure: Option<&Failure>) {
        end(&mut self.span, failure.map(ToString::to_string));
    }
}

fn end(span: &mut Option<BoxedSpan>, error: Option<String>) {
    if let Some(span) = span {
        if let Some(error) = error {
            span.set_status(Status::error(error));
        }
        span.end();
    }
}
