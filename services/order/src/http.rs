//! The HTTP API of orders.

use axum::extract::FromRef;
use messaging::Bus;
use runtime::config::AdminArgs;
use sqlx::PgPool;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::intake::Intake;

mod json;
mod place;
mod read;
mod request;
mod schema;
mod settle;

/// What the request handlers work with.
#[derive(Clone)]
pub struct Api {
    /// For reading.
    pub pool: PgPool,
    /// For changing orders and telling others.
    pub bus: Bus,
    /// For new orders.
    pub intake: Intake,
    /// Who may list orders.
    pub admin: AdminArgs,
}

impl FromRef<Api> for AdminArgs {
    fn from_ref(api: &Api) -> Self {
        api.admin.clone()
    }
}

/// All routes of the service.
pub fn routes(api: Api) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(place::place_order, read::list_orders))
        .routes(routes!(read::get_order))
        .routes(routes!(settle::pay_order))
        .routes(routes!(settle::cancel_order))
        .routes(routes!(read::list_products))
        .with_state(api)
}
