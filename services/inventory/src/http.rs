//! The stock over HTTP.

use axum::extract::State;
use axum::http::HeaderMap;
use garde::Validate;
use messaging::{Bus, Cause};
use opentelemetry::Context;
use runtime::http::{Json, Path, Problem, Valid};
use serde::Deserialize;
use sqlx::PgPool;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::handlers::level_changed;
use crate::store::{self, Restock, StockLevel};

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

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
    #[garde(range(min = 1, max = 1_000_000))]
    #[schema(minimum = 1, maximum = 1_000_000, example = 10)]
    pub quantity: i64,
}

/// All stock levels, by SKU.
#[utoipa::path(get, path = "/api/stock", tag = "stock", responses((status = 200, body = Vec<StockLevel>)))]
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
        (status = 200, body = StockLevel),
        (status = 404, description = "There is no such product", body = Problem),
    )
)]
async fn get_stock(
    State(api): State<Api>,
    Path(sku): Path<String>,
) -> Result<Json<StockLevel>, Problem> {
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
        (status = 400, description = "Malformed", body = Problem),
        (status = 404, description = "There is no such product", body = Problem),
        (status = 422, description = "Quantity out of range, or the key was used for another delivery", body = Problem),
    )
)]
async fn restock(
    State(api): State<Api>,
    Path(sku): Path<String>,
    headers: HeaderMap,
    Valid(RestockRequest { quantity }): Valid<RestockRequest>,
) -> Result<Json<StockLevel>, Problem> {
    let key = idempotency_key(&headers)?;
    let cause = Cause::from_context(&Context::current());
    let mut tx = api.bus.begin().await?;
    let level = store::lock_levels(&mut tx, &[&sku]).await?.remove(&sku);
    let level = level.ok_or_else(|| unknown(&sku))?.restocked(quantity);
    let new = Restock {
        sku,
        quantity,
        level,
    };
    let level = match store::restock(&mut tx, key, &new).await? {
        None => {
            tx.publish(&cause, &level_changed(&new.sku, &new.level));
            new.level
        }
        Some(earlier) if earlier.sku == new.sku && earlier.quantity == quantity => earlier.level,
        Some(_) => {
            return Err(Problem::unprocessable(
                IDEMPOTENCY_KEY,
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

/// The client's key, if it sent one.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let key = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.to_str().ok().filter(|key| is_key(key)),
        _ => None,
    };
    let message = "expected once, 1 to 255 visible ASCII characters";
    let malformed =
        || Problem::bad_request("a header is malformed").field(IDEMPOTENCY_KEY, message);
    key.map(Some).ok_or_else(malformed)
}

fn is_key(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn unknown(sku: &str) -> Problem {
    Problem::not_found(format!("there is no product {sku:?}"))
}
