use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::store;

/// A step on the way of a traced order.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Span {
    /// Its id in its trace, in hexadecimal.
    span_id: String,
    /// The id of the span that it is part of, in hexadecimal; null if there is none.
    parent_id: Option<String>,
    name: String,
    /// `http`, `wait`, `send`, `process` or `other`.
    kind: &'static str,
    service: String,
    instance: String,
    /// `rabbitmq` or `kafka`.
    system: Option<String>,
    destination: Option<String>,
    exchange: Option<String>,
    routing_key: Option<String>,
    queue: Option<String>,
    topic: Option<String>,
    partition: Option<i64>,
    offset: Option<i64>,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    duration_ms: f64,
    error: Option<String>,
    message_id: Option<String>,
}

impl From<store::Span> for Span {
    fn from(span: store::Span) -> Self {
        let text = |key: &str| {
            span.attributes
                .get(key)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let number = |key: &str| span.attributes.get(key).and_then(Value::as_i64);
        let system = text("messaging.system");
        let destination = text("messaging.destination.name");
        let is = |wanted: &str| system.as_deref() == Some(wanted);
        // By the semantic conventions: `exchange:routing key`, and for a consumer `:queue` behind them.
        let mut parts = destination
            .iter()
            .flat_map(|name| name.split(':'))
            .map(str::to_owned);
        let (exchange, routing_key, queue) = match is("rabbitmq") {
            true => (parts.next(), parts.next(), parts.next()),
            false => (None, None, None),
        };
        let topic = destination.clone().filter(|_| is("kafka"));
        let partition =
            text("messaging.destination.partition.id").and_then(|text| text.parse().ok());
        Self {
            span_id: hex(&span.span_id),
            parent_id: Some(hex(&span.parent_id)).filter(|id| !id.is_empty()),
            kind: kind(&span),
            system: system.clone(),
            exchange,
            routing_key,
            queue,
            topic,
            partition,
            offset: number("messaging.kafka.offset"),
            message_id: text("messaging.message.id"),
            destination,
            started_at: span.started_at,
            duration_ms: span.duration_us as f64 / 1_000.0,
            name: span.name,
            service: span.service,
            instance: span.instance,
            error: span.error,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn kind(span: &store::Span) -> &'static str {
    if span.attributes.contains_key("http.request.method") {
        return "http";
    }
    match span.name.split(' ').next() {
        Some("wait") => "wait",
        Some("send") => "send",
        Some("process") => "process",
        _ => "other",
    }
}
