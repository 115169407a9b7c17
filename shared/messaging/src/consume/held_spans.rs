use std::time::{Duration, SystemTime};

use opentelemetry::trace::{
    Span, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId, Tracer,
};
use opentelemetry::{Context, KeyValue};
use uuid::Uuid;

use super::spans::ProcessSpans;
use crate::transport::Transport;

/// A partition that waits until its first record is tried again.
pub(crate) struct HeldPartition<'a> {
    pub(crate) topic: &'a str,
    pub(crate) group: &'a str,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Option<&'a str>,
    /// How many attempts have failed.
    pub(crate) attempts: u32,
    /// How many there are before the record becomes a dead letter.
    pub(crate) limit: usize,
    pub(crate) pause: Duration,
    pub(crate) error: &'a str,
}

impl ProcessSpans {
    /// Tells of a partition that waits, by a span named `hold <topic>` which lasts as long as it waits.
    ///
    /// It is a trace of its own and always sampled: that something is stuck has to be known, whether or not
    /// its order is traced. A pause lies between two of them, so they are few.
    pub(crate) fn held(&self, held: &HeldPartition<'_>) {
        let now = SystemTime::now();
        let topic = held.topic.to_owned();
        let mut span = self
            .tracer()
            .span_builder(format!("hold {topic}"))
            .with_kind(SpanKind::Internal)
            .with_start_time(now)
            .start_with_context(self.tracer(), &sampled());
        if !span.is_recording() {
            return;
        }
        span.set_attributes(Transport::Kafka.attributes("hold", topic));
        let key = held.key.unwrap_or_default().to_owned();
        let limit = i64::try_from(held.limit).unwrap_or(i64::MAX);
        span.set_attributes([
            KeyValue::new(
                "messaging.destination.partition.id",
                held.partition.to_string(),
            ),
            KeyValue::new("messaging.kafka.offset", held.offset),
            KeyValue::new("messaging.kafka.message.key", key),
            KeyValue::new("messaging.consumer.group.name", held.group.to_owned()),
            KeyValue::new("spillway.attempts.failed", i64::from(held.attempts)),
            KeyValue::new("spillway.attempts.limit", limit),
        ]);
        span.set_status(Status::error(held.error.to_owned()));
        span.end_with_timestamp(now + held.pause);
    }
}

/// A parent that nobody has, for a trace that is recorded whatever the share of recorded ones is.
fn sampled() -> Context {
    let id = Uuid::now_v7().as_u128();
    let span = SpanContext::new(
        TraceId::from(id),
        SpanId::from(id as u64),
        TraceFlags::SAMPLED,
        true,
        Default::default(),
    );
    Context::new().with_remote_span_context(span)
}
