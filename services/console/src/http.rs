//! The page, its event stream and its API.

use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::live::Live;

mod controls;
mod history;
mod json;
mod orders;
mod page;
mod stock;
mod stream;
mod timeline;

/// What requests need.
#[derive(Clone)]
pub struct Api {
    /// What is shown.
    pub live: Live,
    /// Ends the event streams when the process stops.
    pub token: CancellationToken,
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
        .with_state(api)
        .merge(page::routes())
}
