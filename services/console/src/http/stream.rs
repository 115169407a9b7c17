use std::convert::Infallible;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt, stream};
use runtime::http::Json;

use super::Api;
use crate::live::Frame;

/// Follow the state of the system
///
/// An event stream: an event `frame` every 250 ms, whose data is a whole `Frame`.
#[utoipa::path(
    get,
    path = "/api/console/stream",
    tag = "state",
    responses((status = 200, description = "Frames, one every 250 ms", body = Frame, content_type = "text/event-stream"))
)]
pub(super) async fn stream(
    State(api): State<Api>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let frames = stream::unfold(api.live.listen(), async |mut frames| {
        frames.changed().await.ok()?;
        let frame = frames.borrow_and_update().to_string();
        Some((Ok(Event::default().event("frame").data(frame)), frames))
    });
    // A stream that goes on would keep a process from stopping.
    let stopped = api.token.cancelled_owned();
    Sse::new(frames.take_until(stopped)).keep_alive(KeepAlive::default())
}

/// Get the state of the system
#[utoipa::path(
    get,
    path = "/api/console/frame",
    tag = "state",
    responses((status = 200, description = "One frame", body = Frame))
)]
pub(super) async fn frame(State(api): State<Api>) -> Json<Frame> {
    Json(api.live.frame().await)
}
