//! Logs, metrics and traces of the process.
//!
//! - **Logs** are `tracing` events, written to standard output.
//! - **Metrics** are OpenTelemetry instruments of the global meter, read at `/metrics`. A histogram
//!   with unit `s` gets the bucket boundaries of the semantic conventions without asking for them.
//! - **Traces** are spans of the global OpenTelemetry tracer, exported over OTLP when an endpoint is
//!   configured. They are not `tracing` spans, because a batch and the outbox need explicit parents
//!   and start times, and because this way they cost nothing without an endpoint: ask [`enabled`]
//!   before building attributes. The W3C propagator is always installed, so a trace that began
//!   elsewhere passes through either way.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use opentelemetry::{KeyValue, global};
use opentelemetry_sdk::{
    Resource,
    metrics::{Aggregation, Instrument, InstrumentKind, SdkMeterProvider, Stream},
    propagation::TraceContextPropagator,
    trace::SdkTracerProvider,
};
use opentelemetry_semantic_conventions::attribute;
use prometheus::{Encoder, TextEncoder};

use crate::config::TelemetryArgs;

mod export;
mod log;

/// Boundaries that the semantic conventions give for durations, in seconds.
const DURATION_BUCKETS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// How long a dying process waits for its last spans to leave.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(1_500);

static ENABLED: AtomicBool = AtomicBool::new(false);

/// Whether spans are recorded. Cheap: ask before doing work that only a span needs.
#[must_use]
pub fn enabled() -> bool {
    ENABLED.load(Ordering::Relaxed)
}

/// What this instance of the service is called in traces: its host (in a container, the container's
/// id) and process id.
#[must_use]
pub fn instance_id() -> &'static str {
    static INSTANCE: LazyLock<String> = LazyLock::new(|| {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        format!("{}-{}", host.trim_end(), std::process::id())
    });
    &INSTANCE
}

/// All metrics of the process in Prometheus' text format.
///
/// # Errors
///
/// When a metric cannot be written as text.
pub fn metrics() -> anyhow::Result<String> {
    let mut text = Vec::new();
    TextEncoder::new().encode(&prometheus::gather(), &mut text)?;
    Ok(String::from_utf8(text)?)
}

/// Makes the given provider the one that all spans of the process go to.
pub fn record_spans(provider: SdkTracerProvider) {
    global::set_text_map_propagator(TraceContextPropagator::new());
    global::set_tracer_provider(provider);
    ENABLED.store(true, Ordering::Relaxed);
}

/// The running telemetry of a process.
pub(crate) struct Telemetry {
    spans: Option<SdkTracerProvider>,
}

/// Starts telemetry. Must be called inside the Tokio runtime that shall carry the export.
pub(crate) fn init(service: &'static str, args: &TelemetryArgs) -> anyhow::Result<Telemetry> {
    log::init(service, args)?;
    global::set_text_map_propagator(TraceContextPropagator::new());
    let resource = Resource::builder()
        .with_service_name(service)
        .with_attribute(KeyValue::new(attribute::SERVICE_INSTANCE_ID, instance_id()))
        .build();
    start_metrics(resource.clone())?;
    let spans = args
        .otlp_endpoint
        .as_deref()
        .filter(|endpoint| !endpoint.is_empty());
    let spans = spans
        .map(|endpoint| export::span_provider(endpoint, resource))
        .transpose()?;
    if let Some(provider) = &spans {
        record_spans(provider.clone());
    }
    Ok(Telemetry { spans })
}

impl Telemetry {
    /// Sends the spans that are still queued, for a bounded time.
    pub(crate) async fn flush(self) {
        let Some(provider) = self.spans else { return };
        // The exporter needs this thread's runtime to go on, so the wait happens on another thread.
        let flush =
            tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH_TIMEOUT));
        if let Ok(Ok(Err(error))) = tokio::time::timeout(FLUSH_TIMEOUT, flush).await {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}

fn start_metrics(resource: Resource) -> anyhow::Result<()> {
    // The default registry of the client library already measures the process: memory, CPU, files.
    let reader = opentelemetry_prometheus::exporter()
        .with_registry(prometheus::default_registry().clone())
        .scope_info_enabled(false)
        .build()?;
    let provider = SdkMeterProvider::builder()
        .with_resource(resource)
        .with_reader(reader)
        .with_view(duration_buckets);
    global::set_meter_provider(provider.build());
    Ok(())
}

fn duration_buckets(instrument: &Instrument) -> Option<Stream> {
    if instrument.kind() != InstrumentKind::Histogram || instrument.unit() != "s" {
        return None;
    }
    let boundaries = DURATION_BUCKETS.to_vec();
    Stream::builder()
        .with_aggregation(Aggregation::ExplicitBucketHistogram {
            boundaries,
            record_min_max: false,
        })
        .build()
        .ok()
}
