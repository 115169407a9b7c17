use axum::extract::State;
use contracts::topology::STOCK_COMMANDS;
use runtime::http::{Json, Problem, Query};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Api;
use super::json::History;

/// Which queue, and how far back.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Window {
    /// Name of the queue, `inventory.stock-commands` by default.
    queue: Option<String>,
    /// How many seconds to look back, 600 by default.
    #[param(minimum = 1, maximum = 3600, default = 600)]
    seconds: Option<u32>,
}

/// Get the last minutes of a queue
///
/// One point a second, the oldest first, as far as this instance of the console has seen them.
#[utoipa::path(
    get,
    path = "/api/console/history",
    tag = "state",
    params(Window),
    responses(
        (status = 200, description = "The numbers of the queue", body = History),
        (status = 404, description = "No such queue"),
        (status = 422, description = "`seconds` is not within 1 to 3600"),
    )
)]
pub(super) async fn history(
    State(api): State<Api>,
    Query(window): Query<Window>,
) -> Result<Json<History>, Problem> {
    let seconds = match window.seconds.unwrap_or(600) {
        seconds @ 1..=3600 => f64::from(seconds),
        _ => return Err(Problem::unprocessable("seconds", "expected 1 to 3600")),
    };
    let queue = window.queue.unwrap_or_else(|| STOCK_COMMANDS.to_owned());
    let known = api.live.statistics.known();
    let Some(state) = known.queues.state(&queue) else {
        return Err(Problem::not_found(format!("there is no queue {queue:?}")));
    };
    let clock = known.clock;
    let mut history = History::new(queue.clone());
    for point in state.series.since(clock.now() - seconds) {
        history.push(clock.on_the_wall(point.at), point);
    }
    Ok(Json(history))
}
