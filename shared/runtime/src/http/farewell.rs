//! How an instance takes leave of the gateway: it says that it is not ready any more and goes on answering until
//! the gateway has noticed, so that no request meets a connection that is just being closed.

use std::time::Duration;

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio_util::sync::CancellationToken;

/// For so long requests are still taken after the stop was asked. The gateway asks once a second whether the
/// instance is ready, and once more when it is not.
pub(super) const FAREWELL: Duration = Duration::from_secs(2);

/// Once the token is cancelled, readiness is denied and every answer says that its connection ends with it. An
/// idle connection stays open meanwhile: a request may already be on its way on it.
pub(super) async fn say_farewell(
    State(token): State<CancellationToken>,
    request: Request,
    next: Next,
) -> Response {
    if !token.is_cancelled() {
        return next.run(request).await;
    }
    let mut response = if request.uri().path() == "/health/ready" {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response()
    } else {
        next.run(request).await
    };
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(header::CONNECTION, close);
    response
}
