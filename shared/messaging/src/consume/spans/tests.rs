use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use opentelemetry::trace::{SpanId, TracerProvider};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use uuid::Uuid;

use super::*;
use crate::handler::Failure;

/// Spans that have ended.
#[derive(Debug, Clone, Default)]
struct Ended(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Ended {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let mut ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ended.extend(batch);
        Ok(())
    }
}

const EXPORTED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const NOT_EXPORTED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

/// The spans that a delivery gets which ends like this, and what is its cause from then on.
fn spans_of(traceparent: &str, outcome: &Outcome) -> (Vec<SpanData>, Cause) {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let ended = Ended::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(ended.clone())
        .build();
    let spans = ProcessSpans {
        tracer: Arc::new(BoxedTracer::new(Box::new(provider.tracer("messaging")))),
    };
    let mut received = Received {
        id: Uuid::now_v7(),
        time: Timestamp::now(),
        cause: Cause::from_traceparent(Some(traceparent.to_owned())),
        position: None,
        body: (),
    };
    let mut span = spans.of_delivery("queue", "exchange", "key", &mut received);
    span.end(outcome);
    let ended = ended.0.lock().unwrap_or_else(PoisonError::into_inner);
    (ended.clone(), received.cause)
}

/// As the conventions for messaging want it, so that also a backend that shows a trace for each message knows
/// what led to it.
#[test]
fn the_context_in_which_a_message_was_created_is_parent_and_link() {
    let (ended, cause) = spans_of(EXPORTED, &Outcome::Done);
    let creation = SpanId::from_hex("00f067aa0ba902b7").ok();
    let linked = ended.iter().flat_map(|span| span.links.iter());
    let linked: Vec<_> = linked.map(|link| link.span_context.span_id()).collect();
    assert_eq!(Some(linked), creation.map(|id| vec![id]));
    let parents: Vec<_> = ended.iter().map(|span| span.parent_span_id).collect();
    assert_eq!(Some(parents), creation.map(|id| vec![id]));
    // What follows from the message is caused by its handling.
    let handling = ended.iter().map(|span| span.span_context.span_id());
    let cause = cause.context();
    let cause = cause.span().span_context().span_id();
    assert_eq!(handling.collect::<Vec<_>>(), [cause]);
}

#[test]
fn a_message_of_a_trace_that_nobody_exports_gets_no_span_and_keeps_its_cause() {
    let (ended, cause) = spans_of(NOT_EXPORTED, &Outcome::Done);
    assert!(ended.is_empty());
    assert_eq!(cause.traceparent(), Some(NOT_EXPORTED));
}

/// Whoever replays a message has to know whether that had an effect.
#[test]
fn the_span_of_a_message_that_was_handled_before_says_so() {
    let duplicate = KeyValue::new("spillway.inbox.duplicate", true);
    for (outcome, expected) in [
        (Outcome::Duplicate, 1),
        (Outcome::Done, 0),
        (Outcome::Failed(Failure::reject("malformed")), 0),
    ] {
        let (ended, _) = spans_of(EXPORTED, &outcome);
        assert_eq!(ended.len(), 1);
        let attributes = ended.iter().flat_map(|span| span.attributes.iter());
        let told = attributes.filter(|attribute| **attribute == duplicate);
        assert_eq!(told.count(), expected, "{outcome:?}");
    }
}
