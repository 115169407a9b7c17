use axum::extract::State;
use runtime::http::{Json, Path, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Api;
use crate::{
    domain::{Order, Product, Status},
    store,
};

/// Get one order
#[utoipa::path(
    get,
    path = "/api/orders/{id}",
    tag = "orders",
    params(("id" = Uuid, Path, description = "Id of the order")),
    responses(
        (status = 200, description = "The order", body = Order),
        (status = 404, description = "No such order"),
    )
)]
pub(super) async fn get_order(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
) -> Result<Json<Order>, Problem> {
    let mut db = api.pool.acquire().await?;
    store::order(&mut db, id)
        .await?
        .map(Json)
        .ok_or_else(|| no_order(id))
}

pub(super) fn no_order(id: Uuid) -> Problem {
    Problem::not_found(format!("there is no order {id}"))
}

/// Which orders to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Only orders of this status.
    status: Option<Status>,
    /// How many, 20 unless said otherwise.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// Continue after this order: `next` of the page before.
    after: Option<Uuid>,
}

/// Some orders, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page {
    orders: Vec<Order>,
    /// The `after` of the next page; null when this is the last one.
    next: Option<Uuid>,
}

/// List orders, newest first
#[utoipa::path(
    get,
    path = "/api/orders",
    tag = "orders",
    params(Filter),
    responses(
        (status = 200, description = "A page of orders", body = Page),
        (status = 422, description = "`limit` outside 1..=100"),
    )
)]
pub(super) async fn list_orders(
    State(api): State<Api>,
    Query(filter): Query<Filter>,
) -> Result<Json<Page>, Problem> {
    let limit = match filter.limit.unwrap_or(20) {
        limit @ 1..=100 => limit,
        _ => return Err(Problem::unprocessable("limit", "expected 1 to 100")),
    };
    let mut db = api.pool.acquire().await?;
    // One more than asked for, to know whether there is a next page.
    let mut orders = store::page(&mut db, filter.status, filter.after, limit + 1).await?;
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = orders.len() > size;
    orders.truncate(size);
    let next = orders.last().filter(|_| more).map(|order| order.id);
    Ok(Json(Page { orders, next }))
}

/// What is on sale.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Products {
    products: Vec<Product>,
}

/// List what is on sale
///
/// This is the service's own copy of the price list, at which it prices orders.
#[utoipa::path(get, path = "/api/products", tag = "products", responses((status = 200, description = "The price list", body = Products)))]
pub(super) async fn list_products(State(api): State<Api>) -> Result<Json<Products>, Problem> {
    let mut db = api.pool.acquire().await?;
    Ok(Json(Products {
        products: store::products(&mut db).await?,
    }))
}
