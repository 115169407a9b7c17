//! The page, its event stream and its API.

use axum::extract::FromRef;
use axum::http::StatusCode;
use runtime::config::AdminArgs;
use runtime::http::Problem;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::live::Live;
use crate::office::Replaying;

mod controls;
mod discard;
mod edits;
mod export;
mod history;
mod json;
mod letter;
mod letters;
mod orders;
mod page;
mod replays;
mod set;
mod stock;
mod stream;
mod timeline;

use set::Set;

/// What requests need.
#[derive(Clone)]
pub struct Api {
    /// What is shown.
    pub live: Live,
    /// What replays letters.
    pub replaying: Replaying,
    /// Ends the event streams when the process stops.
    pub token: CancellationToken,
    /// Who may act, and read what customers have written.
    pub admin: AdminArgs,
}

impl FromRef<Api> for AdminArgs {
    fn from_ref(api: &Api) -> Self {
        api.admin.clone()
    }
}

/// The routes of the service.
pub fn routes(api: Api) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(stream::stream))
        .routes(routes!(stream::frame))
        .routes(routes!(history::history))
        .routes(routes!(orders::list_orders))
        .routes(routes!(timeline::get_order))
        .routes(routes!(stock::list_stock))
        .routes(routes!(controls::list_controls))
        .routes(routes!(controls::set_control, controls::lift_control))
        .routes(routes!(letters::list_letters))
        .routes(routes!(letters::group_letters))
        .routes(routes!(letters::export_letters))
        .routes(routes!(letter::get_letter))
        .routes(routes!(letter::get_body))
        .routes(routes!(edits::save_draft))
        .routes(routes!(edits::revise))
        .routes(routes!(discard::discard_letters))
        .routes(routes!(discard::restore_letters))
        .routes(routes!(replays::list_replays, replays::create_replay))
        .routes(routes!(replays::get_replay, replays::change_replay))
        .with_state(api)
        .merge(page::routes())
}

/// A console that only looks changes nothing.
fn writable(api: &Api) -> Result<(), Problem> {
    if api.live.readonly {
        let reason = "this console only looks: CONSOLE_READONLY is set";
        return Err(Problem::new(StatusCode::FORBIDDEN, reason));
    }
    Ok(())
}
