use axum::extract::State;
use messaging::Cause;
use opentelemetry::Context;
use runtime::http::{Admin, IdempotencyKey, Json, Path, Problem, Valid};

use super::{
    Api,
    json::{RestockRequest, StockLevel},
    possible, unknown,
};
use crate::handlers::level_changed;
use crate::store::{self, ProductLevel, Restock};

/// Add delivered pieces to the stock of a product
///
/// A request that is repeated with the same `Idempotency-Key` adds nothing and gets the first answer
/// again.
#[utoipa::path(
    post,
    path = "/api/stock/{sku}/restocks",
    tag = "stock",
    params(
        ("sku" = String, Path, description = "Stock keeping unit", pattern = "^[A-Z0-9-]{1,64}$", example = "PADDLE-CARBON"),
        IdempotencyKey,
    ),
    request_body = RestockRequest,
    security(("admin" = [])),
    responses(
        (status = 200, description = "Stock of the product after the delivery", body = StockLevel),
        (status = 404, description = "No such product"),
        (status = 422, description = "`quantity` is out of range, or the `Idempotency-Key` was used for another delivery; `errors` names the field"),
    )
)]
pub(super) async fn restock(
    _: Admin,
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
    Ok(Json(ProductLevel { level, ..product }.into()))
}
