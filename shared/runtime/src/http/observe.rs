//! One server span and one measured duration per request.

use std::{any::Any, panic::AssertUnwindSafe, sync::LazyLock, time::Instant};

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderMap, Method, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt as _;
use opentelemetry::{
    Context, KeyValue, global,
    global::BoxedTracer,
    metrics::Histogram,
    propagation::Extractor,
    trace::{FutureExt, SpanKind, Status, TraceContextExt, Tracer},
};
use opentelemetry_semantic_conventions::{attribute, metric};

use super::{Deadline, Problem};
use crate::{lifecycle::panic_message, telemetry};

static TRACER: LazyLock<BoxedTracer> = LazyLock::new(|| global::tracer("runtime::http"));

static DURATION: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    let meter = global::meter("runtime");
    let duration = meter.f64_histogram(metric::HTTP_SERVER_REQUEST_DURATION);
    duration
        .with_unit("s")
        .with_description("Duration of HTTP server requests.")
        .build()
});

/// Measures and traces a request, and answers it if its handler panics or takes too long.
pub(super) async fn observe(route: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = known_method(request.method());
    let route = route.as_ref().map(MatchedPath::as_str);

    let context = context(method, route, &request);
    let response = answer(request, next);
    let response = match &context {
        Some(context) => response.with_context(context.clone()).await,
        None => response.await,
    };

    let status = response.status();
    if let Some(context) = context.filter(|_| telemetry::enabled()) {
        let span = context.span();
        span.set_attribute(status_attribute(status));
        if status.is_server_error() {
            span.set_attribute(error_type(status));
            span.set_status(Status::error(""));
        }
    }
    let mut attributes = vec![
        KeyValue::new(attribute::HTTP_REQUEST_METHOD, method),
        KeyValue::new(attribute::URL_SCHEME, "http"),
        status_attribute(status),
    ];
    attributes.extend(route.map(|route| KeyValue::new(attribute::HTTP_ROUTE, route.to_owned())));
    if status.is_server_error() {
        attributes.push(error_type(status));
    }
    DURATION.record(started.elapsed().as_secs_f64(), &attributes);
    response
}

async fn answer(mut request: Request, next: Next) -> Response {
    let deadline = Deadline::from_now();
    request.extensions_mut().insert(deadline);
    let changes_nothing = request.method().is_safe();
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout_at(deadline.0.into(), answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => panicked(&*panic).into_response(),
        Err(_) if changes_nothing => {
            Problem::unavailable("the request took too long, try again shortly", 1).into_response()
        }
        Err(_) => Problem::unavailable(
            "the request took too long and may have been carried out; ask again with the same Idempotency-Key, if it had one",
            1,
        )
        .into_response(),
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Problem {
    Problem::internal(anyhow::anyhow!(
        "the handler panicked: {}",
        panic_message(panic)
    ))
}

/// The caller's trace, with a server span of ours in it when spans are recorded; nothing when there
/// is neither.
fn context(method: &'static str, route: Option<&str>, request: &Request) -> Option<Context> {
    let headers = request.headers();
    if !telemetry::enabled() && !headers.contains_key("traceparent") {
        return None;
    }
    let caller =
        global::get_text_map_propagator(|propagator| propagator.extract(&Headers(headers)));
    if !telemetry::enabled() {
        return Some(caller);
    }
    let name = route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}"));
    let mut attributes = vec![
        KeyValue::new(attribute::HTTP_REQUEST_METHOD, method),
        KeyValue::new(attribute::URL_PATH, request.uri().path().to_owned()),
        KeyValue::new(attribute::URL_SCHEME, "http"),
    ];
    attributes.extend(route.map(|route| KeyValue::new(attribute::HTTP_ROUTE, route.to_owned())));
    let span = TRACER
        .span_builder(name)
        .with_kind(SpanKind::Server)
        .with_attributes(attributes);
    let span = TRACER.build_with_context(span, &caller);
    Some(caller.with_span(span))
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(axum::http::HeaderName::as_str).collect()
    }
}

/// A name from a fixed set, because whoever invents methods must not invent time series.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "_OTHER",
    }
}

fn status_attribute(status: StatusCode) -> KeyValue {
    KeyValue::new(
        attribute::HTTP_RESPONSE_STATUS_CODE,
        i64::from(status.as_u16()),
    )
}

fn error_type(status: StatusCode) -> KeyValue {
    KeyValue::new(attribute::ERROR_TYPE, status.as_str().to_owned())
}
