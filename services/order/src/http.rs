//! The HTTP API of orders.

use axum::extract::FromRef;
use messaging::Bus;
use runtime::config::AdminArgs;
use runtime::http::Bulkhead;
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
    /// For pages of orders, each a hundred times the work of one order.
    lists: Bulkhead,
    /// For one order, and for the products.
    reads: Bulkhead,
    /// For changing orders and telling others.
    bus: Bus,
    /// For new orders.
    intake: Intake,
    /// Who may list orders.
    admin: AdminArgs,
}

impl Api {
    /// Most of the pool is left to those who place and change orders.
    #[must_use]
    pub fn new(pool: &PgPool, bus: Bus, intake: Intake, admin: AdminArgs) -> Self {
        Self {
            lists: Bulkhead::new(pool, 1),
            reads: Bulkhead::new(pool, 3),
            bus,
            intake,
            admin,
        }
    }
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
