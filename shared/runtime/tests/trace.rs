//! A request becomes a server span in the trace of its caller.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed test may panic")]

use std::sync::{Arc, Mutex};

use axum::{body::Body, http::Request};
use opentelemetry::{
    Context, Value,
    trace::{SpanKind, TraceContextExt},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use runtime::{health::Health, http, telemetry};
use tower::ServiceExt;
use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(Clone, Debug, Default)]
struct Spans(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Spans {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().append(&mut batch);
        Ok(())
    }
}

/// Answers with the trace that the handler runs in.
#[utoipa::path(get, path = "/traces/{name}", responses((status = 200)))]
async fn trace() -> String {
    Context::current()
        .span()
        .span_context()
        .trace_id()
        .to_string()
}

fn attribute(span: &SpanData, key: &str) -> Option<Value> {
    span.attributes
        .iter()
        .find(|attribute| attribute.key.as_str() == key)
        .map(|attribute| attribute.value.clone())
}

#[tokio::test]
async fn a_request_continues_the_trace_of_its_caller() {
    let spans = Spans::default();
    telemetry::record_spans(
        SdkTracerProvider::builder()
            .with_simple_exporter(spans.clone())
            .build(),
    );
    assert!(telemetry::enabled());

    let app = http::app(
        "traced",
        OpenApiRouter::new().routes(routes!(trace)),
        Health::default(),
        &[],
    );
    let request = Request::get("/traces/mine")
        .header("host", "localhost")
        .header(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        )
        .body(Body::empty())
        .unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let body = axum::body::to_bytes(response.into_body(), 100)
        .await
        .unwrap();
    assert_eq!(body, "0af7651916cd43dd8448eb211c80319c");
    app.oneshot(Request::get("/health/live").body(Body::empty()).unwrap())
        .await
        .unwrap();

    let spans = spans.0.lock().unwrap();
    let [span] = &spans[..] else {
        panic!("health is not traced: {spans:?}")
    };
    assert_eq!(span.name, "GET /traces/{name}");
    assert_eq!(span.span_kind, SpanKind::Server);
    assert_eq!(span.parent_span_id.to_string(), "b7ad6b7169203331");
    assert_eq!(attribute(span, "http.request.method"), Some("GET".into()));
    assert_eq!(attribute(span, "http.route"), Some("/traces/{name}".into()));
    assert_eq!(attribute(span, "url.path"), Some("/traces/mine".into()));
    assert_eq!(
        attribute(span, "http.response.status_code"),
        Some(200.into())
    );
}
