//! The stock over HTTP.

use messaging::Bus;
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
}

impl Api {
    /// Most of the pool is left to those who change the stock.
    #[must_use]
    pub fn new(pool: &PgPool, bus: Bus) -> Self {
        Self {
            reads: Bulkhead::new(pool, 3),
            bus,
        }
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
