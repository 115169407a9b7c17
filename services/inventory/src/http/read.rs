use axum::extract::State;
use runtime::http::{Json, Path, Problem};

use super::{Api, json::StockLevel, possible, unknown};
use crate::store;

/// List the stock of all products
///
/// Sorted by SKU.
#[utoipa::path(
    get,
    path = "/api/stock",
    tag = "stock",
    responses((status = 200, description = "Stock of all products", body = Vec<StockLevel>))
)]
pub(super) async fn list_stock(State(api): State<Api>) -> Result<Json<Vec<StockLevel>>, Problem> {
    let mut db = api.reads.connection().await?;
    let levels = store::levels(&mut db).await?;
    Ok(Json(levels.into_iter().map(StockLevel::from).collect()))
}

/// Get the stock of one product
#[utoipa::path(
    get,
    path = "/api/stock/{sku}",
    tag = "stock",
    params(("sku" = String, Path, description = "Stock keeping unit", pattern = "^[A-Z0-9-]{1,64}$", example = "PADDLE-CARBON")),
    responses(
        (status = 200, description = "Stock of the product", body = StockLevel),
        (status = 404, description = "No such product"),
    )
)]
pub(super) async fn get_stock(
    State(api): State<Api>,
    Path(sku): Path<String>,
) -> Result<Json<StockLevel>, Problem> {
    let sku = possible(sku)?;
    let mut db = api.reads.connection().await?;
    let product = store::level(&mut db, &sku).await?;
    let product = product.ok_or_else(|| unknown(&sku))?;
    Ok(Json(product.into()))
}
