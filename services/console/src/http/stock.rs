use axum::extract::State;
use runtime::http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::json::StockLevel;
use crate::store;

/// What is known of the stock.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Stock {
    /// All products, by SKU.
    stock: Vec<StockLevel>,
}

/// List what the topics say about the stock
#[utoipa::path(
    get,
    path = "/api/console/stock",
    tag = "stock",
    responses((status = 200, description = "All products", body = Stock))
)]
pub(super) async fn list_stock(State(api): State<Api>) -> Result<Json<Stock>, Problem> {
    api.live.is_asked();
    let stock = store::stock(&api.live.pool).await?;
    let stock = stock.into_iter().map(StockLevel::from).collect();
    Ok(Json(Stock { stock }))
}
