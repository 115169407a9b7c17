use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
    serve::ListenerExt,
};
use futures::FutureExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use utoipa_axum::router::OpenApiRouter;

use super::{
    Problem, docs,
    extract::whole_body,
    farewell::{FAREWELL, say_farewell},
    guard::guard,
    host::Hosts,
    observe::observe,
    openapi,
};
use crate::{health::Health, telemetry};

/// The largest body a request may have, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// How long open connections get to finish their request once no new ones are taken.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// The complete application: the service's routes, their documentation, health and metrics.
///
/// Requests for other hosts than the usual ones and `allowed_hosts` are refused, and so are requests by
/// which a page of another site would change something.
///
/// `/health/live`, `/health/ready` and `/metrics` are for those who operate the process; the gateway
/// does not publish them, and they are neither guarded nor traced nor measured.
pub fn app(
    service: &'static str,
    api: OpenApiRouter,
    health: Health,
    allowed_hosts: &[String],
) -> Router {
    let (api, document) = api.split_for_parts();
    let document = openapi(service, document).to_json().unwrap_or_default();
    let hosts = Arc::new(Hosts::new(service, allowed_hosts));
    let guard = || middleware::from_fn_with_state(Arc::clone(&hosts), guard);
    api.fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(guard())
        .layer(middleware::from_fn(read_before_answering))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn(observe))
        .merge(docs::routes(document.into()).layer(guard()))
        .route("/health/live", get(|| async { "alive\n" }))
        .route("/health/ready", get(move || ready(health)))
        .route("/metrics", get(metrics))
        .method_not_allowed_fallback(no_method)
}

/// Listens at the address and answers requests until the token is cancelled, and 2 s longer, in which
/// it is not ready any more and the gateway finds that out. Then finishes those in hand.
///
/// # Errors
///
/// When the address cannot be bound.
pub async fn serve(addr: SocketAddr, app: Router, token: CancellationToken) -> anyhow::Result<()> {
    let listener = TcpListener::bind(addr)
        .await
        .with_context(|| format!("HTTP_ADDR {addr} cannot be listened at"))?;
    info!("HTTP server listens at {}", listener.local_addr()?);
    // A small answer must not wait for the acknowledgement of the one before it.
    let listener = listener.tap_io(|stream| {
        stream.set_nodelay(true).ok();
    });
    let app = app.layer(middleware::from_fn_with_state(token.clone(), say_farewell));
    let stopped = async move {
        token.cancelled().await;
        tokio::time::sleep(FAREWELL).await;
    };
    let stopped = stopped.shared();
    let server = axum::serve(listener, app).with_graceful_shutdown(stopped.clone());
    let deadline = async {
        stopped.await;
        tokio::time::sleep(DRAIN_TIMEOUT).await;
    };
    tokio::select! {
        served = server.into_future() => served?,
        () = deadline => warn!("HTTP connections were closed in the middle of a request"),
    }
    Ok(())
}

/// Reads the body before anybody can refuse the request for another reason. The server closes a
/// connection on which it has answered before it was told everything, and does not announce it: a
/// gateway would send the next request into the void and could not know whether to repeat it.
async fn read_before_answering(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match whole_body(Request::from_parts(parts.clone(), body)).await {
        Ok(body) => next.run(Request::from_parts(parts, body.into())).await,
        Err(problem) => ([(header::CONNECTION, "close")], problem).into_response(),
    }
}

async fn ready(health: Health) -> impl IntoResponse {
    let report = health.report().await;
    let status = if report.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, axum::Json(report))
}

async fn metrics() -> Result<String, Problem> {
    Ok(telemetry::metrics()?)
}

async fn no_route(uri: Uri) -> Problem {
    Problem::not_found(format!("there is nothing at {}", uri.path()))
}

async fn no_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "this address does not support the method; the header `allow` lists those it does",
    )
}
