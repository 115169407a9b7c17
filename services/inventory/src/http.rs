//! The stock over HTTP.

use axum::extract::FromRef;
use messaging::Bus;
use runtime::config::AdminArgs;
use runtime::http::{Bulkhead, Problem};
use sqlx::PgPool;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

mod json;
mod read;
mod restock;

/// What requests need.
#[derive(Clone)]
pub struct Api {
    /// For reading.
    reads: Bulkhead,
    /// For transactions that publish.
    bus: Bus,
    /// Who may restock.
    admin: AdminArgs,
}

impl Api {
    /// Most of the pool is left to those who change the stock.
    #[must_use]
    pub fn new(pool: &PgPool, bus: Bus, admin: AdminArgs) -> Self {
        Self {
            reads: Bulkhead::new(pool, 3),
            bus,
            admin,
        }
    }
}

impl FromRef<Api> for AdminArgs {
    fn from_ref(api: &Api) -> Self {
        api.admin.clone()
    }
}

/// The routes of the service.
pub fn routes(api: Api) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(read::list_stock))
        .routes(routes!(read::get_stock))
        .routes(routes!(restock::restock))
        .with_state(api)
}

/// Answers for what no product can be called, before the database is asked.
fn possible(sku: String) -> Result<String, Problem> {
    if contracts::is_sku(&sku) {
        Ok(sku)
    } else {
        Err(unknown(&sku))
    }
}

fn unknown(sku: &str) -> Problem {
    Problem::not_found(format!("there is no product {sku:?}"))
}
