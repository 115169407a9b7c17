//! Receives the spans that services export over OTLP, and stores those of traced orders.
//!
//! Whatever comes is taken: a span that cannot be understood, or is one too many, is dropped and counted, and
//! whoever sent it does not notice.

mod read;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use database::within_limit;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::codegen::tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};
use tracing::{debug, info};

use crate::store::{self, Span};

/// How many spans wait to be stored at most.
const WAITING: usize = 5_000;

/// How many are stored in one statement.
const PORTION: usize = 500;

/// How often old spans are forgotten.
const FORGETTING: Duration = Duration::from_secs(60);

/// Listens for spans until stopped, and stores them. The database may come and go; spans that it does not take are
/// lost.
///
/// # Errors
///
/// When the address cannot be bound.
pub async fn receive_spans(
    addr: SocketAddr,
    pool: PgPool,
    token: CancellationToken,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(addr)
        .await
        .with_context(|| format!("OTLP_ADDR {addr} cannot be listened at"))?;
    info!("spans are received at {}", listener.local_addr()?);
    let (sender, receiver) = mpsc::channel(WAITING);
    let receiving = TraceServiceServer::new(Receiver(Arc::new(sender)));
    let server = tonic::transport::Server::builder()
        .add_service(receiving)
        .serve_with_incoming_shutdown(
            TcpListenerStream::new(listener),
            token.clone().cancelled_owned(),
        );
    tokio::select! {
        served = server => served?,
        () = store_spans(&pool, receiver) => {}
        // Exporters keep their connections open; nobody waits for them.
        () = token.cancelled() => {}
    }
    Ok(())
}

async fn store_spans(pool: &PgPool, mut receiver: mpsc::Receiver<Span>) {
    let mut forgetting = tokio::time::interval(FORGETTING);
    let mut portion = Vec::with_capacity(PORTION);
    loop {
        tokio::select! {
            count = receiver.recv_many(&mut portion, PORTION) => {
                if count == 0 {
                    return;
                }
                report(within_limit(store::save_spans(pool, &portion)).await);
                portion.clear();
            }
            _ = forgetting.tick() => {
                while let Ok(1..) = within_limit(store::forget_spans(pool)).await {}
            }
        }
    }
}

fn report<T>(result: sqlx::Result<T>) {
    if let Err(error) = result {
        let error = error.to_string();
        debug!(error, "spans could not be stored");
    }
}

struct Receiver(Arc<mpsc::Sender<Span>>);

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let spans = read::spans(request.into_inner());
        let lost = spans.filter(|span| match span {
            Some(span) => self.0.try_send(span.clone()).is_err(),
            None => true,
        });
        let lost = lost.count();
        if lost > 0 {
            debug!(lost, "{lost} spans were dropped");
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[cfg(test)]
mod tests;
