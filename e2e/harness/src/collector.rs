use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value};
use tokio::net::TcpListener;
use tonic::codegen::tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// Receives the spans that services export over OTLP, until it is dropped.
pub struct Collector {
    received: Received,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Clone, Default)]
struct Received(Arc<Mutex<Vec<Span>>>);

/// A span as it was exported.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "known from OpenTelemetry")]
pub struct Span {
    pub trace: Vec<u8>,
    pub service: String,
    pub name: String,
    pub id: Vec<u8>,
    pub parent: Vec<u8>,
    pub links: Vec<Vec<u8>>,
    pub start: u64,
    pub end: u64,
}

/// All spans of one trace.
#[derive(Debug, Clone)]
pub struct Trace {
    spans: Vec<Span>,
}

impl Collector {
    /// Listens at a port of every address of this machine.
    pub async fn listen(port: u16) -> Result<Self> {
        let listener = TcpListener::bind(("0.0.0.0", port))
            .await
            .context("OTLP_PORT")?;
        let received = Received::default();
        let service = TraceServiceServer::new(received.clone());
        let server = tokio::spawn(async move {
            let server = tonic::transport::Server::builder().add_service(service);
            server
                .serve_with_incoming(TcpListenerStream::new(listener))
                .await
                .ok();
        });
        Ok(Self { received, server })
    }

    /// What has come so far of the trace with this id.
    #[must_use]
    pub fn trace(&self, id: &[u8]) -> Trace {
        let received = self
            .received
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let spans = received.iter().filter(|span| span.trace == id).cloned();
        Trace {
            spans: spans.collect(),
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[tonic::async_trait]
impl TraceService for Received {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut received = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for resource in request.into_inner().resource_spans {
            let attributes = resource.resource.unwrap_or_default().attributes;
            let service = attributes
                .into_iter()
                .find(|attribute| attribute.key == "service.name");
            let service = text(service.and_then(|attribute| attribute.value));
            for span in resource
                .scope_spans
                .into_iter()
                .flat_map(|scope| scope.spans)
            {
                received.push(Span {
                    trace: span.trace_id,
                    service: service.clone(),
                    name: span.name,
                    id: span.span_id,
                    parent: span.parent_span_id,
                    links: span.links.into_iter().map(|link| link.span_id).collect(),
                    start: span.start_time_unix_nano,
                    end: span.end_time_unix_nano,
                });
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(any_value::Value::StringValue(text)) => text,
        _ => String::new(),
    }
}

impl Trace {
    /// All spans.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Walks from a parent down: each name must be that of a child of the one before. Returns the
    /// spans on the way.
    pub fn path(&self, root: &[u8], names: &[&str]) -> Result<Vec<Span>> {
        let mut found = self.paths(root, names);
        ensure!(
            !found.is_empty(),
            "no way {names:?} in\n{}",
            self.picture(root)
        );
        Ok(found.swap_remove(0))
    }

    /// Spans whose parent is neither in the trace nor the given one.
    #[must_use]
    pub fn orphans(&self, root: &[u8]) -> Vec<&Span> {
        let known: HashMap<_, _> = self
            .spans
            .iter()
            .map(|span| (span.id.as_slice(), ()))
            .collect();
        let is_orphan =
            |span: &&Span| span.parent != root && !known.contains_key(span.parent.as_slice());
        self.spans.iter().filter(is_orphan).collect()
    }

    /// The tree of spans as text.
    #[must_use]
    pub fn picture(&self, root: &[u8]) -> String {
        let mut text = String::new();
        self.draw(root, 1, &mut text);
        text
    }

    fn paths(&self, parent: &[u8], names: &[&str]) -> Vec<Vec<Span>> {
        let Some((name, rest)) = names.split_first() else {
            return vec![Vec::new()];
        };
        let children = self
            .spans
            .iter()
            .filter(|span| span.parent == parent && span.name == *name);
        let paths = children.flat_map(|span| {
            let below = self.paths(&span.id, rest).into_iter();
            below.map(|path| [vec![span.clone()], path].concat())
        });
        paths.collect()
    }

    fn draw(&self, parent: &[u8], depth: usize, text: &mut String) {
        let mut children: Vec<_> = self
            .spans
            .iter()
            .filter(|span| span.parent == parent)
            .collect();
        children.sort_by_key(|span| span.start);
        for span in children {
            let micros = span.end.saturating_sub(span.start) / 1_000;
            let _ = writeln!(
                text,
                "{:indent$}{} ({micros} us)",
                "",
                span.name,
                indent = depth * 2
            );
            self.draw(&span.id, depth + 1, text);
        }
    }
}
