use jiff::Timestamp;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::{Span as Exported, status::StatusCode};
use serde_json::{Map, Value};

use crate::store::Span;

/// The longest text of a span that is kept, in characters.
const LONGEST: usize = 1_000;

/// How many attributes of a span are kept.
const ATTRIBUTES: usize = 32;

/// The longest span that is believed: a day, in nanoseconds.
const DAY: u64 = 24 * 60 * 60 * 1_000_000_000;

/// The spans of a request; none in the place of one that cannot be understood.
pub(super) fn spans(request: ExportTraceServiceRequest) -> impl Iterator<Item = Option<Span>> {
    request.resource_spans.into_iter().flat_map(|of| {
        let resource = of.resource.unwrap_or_default().attributes;
        let service = named(&resource, "service.name");
        let instance = named(&resource, "service.instance.id");
        let spans = of.scope_spans.into_iter().flat_map(|scope| scope.spans);
        spans.map(move |span| read(span, &service, &instance))
    })
}

fn read(span: Exported, service: &str, instance: &str) -> Option<Span> {
    if span.trace_id.len() != 16 || span.span_id.len() != 8 || span.parent_span_id.len() > 8 {
        return None;
    }
    let failed = span
        .status
        .filter(|status| status.code == StatusCode::Error as i32);
    let duration = span
        .end_time_unix_nano
        .checked_sub(span.start_time_unix_nano)
        .filter(|duration| *duration <= DAY)?;
    Some(Span {
        trace_id: span.trace_id,
        span_id: span.span_id,
        parent_id: span.parent_span_id,
        name: text(&span.name),
        service: service.to_owned(),
        instance: instance.to_owned(),
        started_at: Timestamp::from_nanosecond(i128::from(span.start_time_unix_nano)).ok()?,
        duration_us: i64::try_from(duration / 1_000).ok()?,
        attributes: attributes(span.attributes),
        error: failed.map(|status| text(&status.message)),
    })
}

fn attributes(attributes: Vec<KeyValue>) -> Map<String, Value> {
    let known = attributes.into_iter().take(ATTRIBUTES);
    known
        .filter_map(|one| Some((text(&one.key), value(one.value?)?)))
        .collect()
}

fn value(value: AnyValue) -> Option<Value> {
    Some(match value.value? {
        any_value::Value::StringValue(value) => text(&value).into(),
        any_value::Value::BoolValue(value) => value.into(),
        any_value::Value::IntValue(value) => value.into(),
        any_value::Value::DoubleValue(value) => value.into(),
        _ => return None,
    })
}

fn named(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    let found = found.and_then(|attribute| value(attribute.value.clone()?));
    found
        .and_then(|value| Some(value.as_str()?.to_owned()))
        .unwrap_or_default()
}

/// PostgreSQL stores no NUL.
fn text(text: &str) -> String {
    text.chars()
        .filter(|letter| *letter != '\0')
        .take(LONGEST)
        .collect()
}
