//! The stock over HTTP.

use axum::extract::State;
use garde::Validate;
use messaging::{Bus, Cause};
use opentelemetry::Context;
use runtime::http::{IdempotencyKey, Json, Path, Problem, Valid, whole_number};
use serde::Deserialize;
use sqlx::PgPool;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::is_sku;
use crate::handlers::level_changed;
use crate::store::{self, Restock, StockLevel};

/// What requests need.
#[derive(Clone)]
pub struct Api {
    /// The service's database.
    pub pool: PgPool,
    /// For transactions that publish.
    pub bus: Bus,
}

/// The routes of the service.
pub fn routes(api: Api) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_stock))
        .routes(routes!(get_stock))
        .routes(routes!(restock))
        .with_state(api)
}

/// Pieces that were delivered.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestockRequest {
    /// So many of them.
    #[serde(deserialize_with = "whole_number")]
    #[garde(range(min = 1, max = 1_000_000))]
    #[schema(minimum = 1, maximum = 1_000_000, example = 10)]
    pub quantity: i64,
}

/// All stock levels, by SKU.
#[utoipa::path(get, path = "/api/stock", tag = "stock", responses((status = 200, description = "All levels", body = Vec<StockLevel>)))]
async fn list_stock(State(api): State<Api>) -> Result<Json<Vec<StockLevel>>, Problem> {
    let mut db = api.pool.acquire().await?;
    Ok(Json(store::levels(&mut db).await?))
}

/// The stock level of one product.
#[utoipa::path(
    get,
    path = "/api/stock/{sku}",
    tag = "stock",
    params(("sku" = String, Path, example = "PADDLE-CARBON")),
    responses(
        (status = 200, description = "The level", body = StockLevel),
        (status = 404, description = "There is no such product"),
    )
)]
async fn get_stock(
    State(api): State<Api>,
    Path(sku): Path<String>,
) -> Result<Json<StockLevel>, Problem> {
    let sku = possible(sku)?;
    let mut db = api.pool.acquire().await?;
    let level = store::level(&mut db, &sku).await?;
    level.map(Json).ok_or_else(|| unknown(&sku))
}

/// Book a delivery of pieces.
///
/// Repeated with the same `Idempotency-Key`, it books nothing and gives the first answer again.
#[utoipa::path(
    post,
    path = "/api/stock/{sku}/restocks",
    tag = "stock",
    params(
        ("sku" = String, Path, example = "PADDLE-CARBON"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeating the request with the same key books one delivery"),
    ),
    request_body = RestockRequest,
    responses(
        (status = 200, description = "The level after the delivery", body = StockLevel),
        (status = 404, description = "There is no such product"),
        (status = 422, description = "Quantity out of range, or the key was used for another delivery"),
    )
)]
async fn restock(
    State(api): State<Api>,
    Path(sku): Path<String>,
    key: Option<IdempotencyKey>,
    Valid(RestockRequest { quantity }): Valid<RestockRequest>,
) -> Result<Json<StockLevel>, Problem> {
    let sku = possible(sku)?;
    let cause = Cause::from_context(&Context::current());
    let mut tx = api.bus.begin().await?;
    let level = store::lock_levels(&mut tx, &[&sku]).await?.remove(&sku);
    let level = level.ok_or_else(|| unknown(&sku))?.restocked(quantity);
    let new = Restock {
        sku,
        quantity,
        level,
    };
    let key = key.as_ref().map(|IdempotencyKey(key)| key.as_str());
    let level = match store::restock(&mut tx, key, &new).await? {
        None => {
            tx.publish(&cause, &level_changed(&new.sku, &new.level));
            new.level
        }
        Some(earlier) if earlier.sku == new.sku && earlier.quantity == quantity => earlier.level,
        Some(_) => {
            return Err(Problem::unprocessable(
                IdempotencyKey::HEADER,
                "was used for another delivery",
            ));
        }
    };
    let product = store::level(&mut tx, &new.sku)
        .await?
        .ok_or_else(|| unknown(&new.sku))?;
    tx.commit().await?;
    Ok(Json(product.at(level)))
}

/// Answers for what no product can be called, before the database is asked, which could not even
/// look some of it up.
fn possible(sku: String) -> Result<String, Problem> {
    if is_sku(&sku) {
        Ok(sku)
    } else {
        Err(unknown(&sku))
    }
}

fn unknown(sku: &str) -> Problem {
    Problem::not_found(format!("there is no product {sku:?}"))
}
