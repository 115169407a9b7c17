use axum::extract::State;
use runtime::http::{Admin, Json, PageSize, Path, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    Api,
    json::{Order, Product, Status},
};
use crate::store;

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
    let mut db = api.reads.connection().await?;
    let order = store::order(&mut db, id).await?;
    Ok(Json(order.ok_or_else(|| no_order(id))?.into()))
}

pub(super) fn no_order(id: Uuid) -> Problem {
    Problem::not_found(format!("there is no order {id}"))
}

/// Which orders to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Only orders with this status.
    status: Option<Status>,
    /// Page size, 20 by default.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// Last order of the previous page: its `next`.
    after: Option<Uuid>,
}

/// Page of orders, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page {
    /// Orders of the page.
    orders: Vec<Order>,
    /// Value of `after` for the next page; null on the last page.
    next: Option<Uuid>,
}

/// List orders, newest first
#[utoipa::path(
    get,
    path = "/api/orders",
    tag = "orders",
    params(Filter),
    security(("admin" = [])),
    responses(
        (status = 200, description = "Page of orders", body = Page),
        (status = 422, description = "`limit` is not within 1 to 100"),
    )
)]
pub(super) async fn list_orders(
    _: Admin,
    State(api): State<Api>,
    Query(filter): Query<Filter>,
) -> Result<Json<Page>, Problem> {
    let size = PageSize::asked(filter.limit)?;
    let mut db = api.lists.connection().await?;
    let status = filter.status.map(Into::into);
    let mut orders = store::page(&mut db, status, filter.after, size.and_one()).await?;
    let next = size.cut(&mut orders).map(|last| last.id);
    let orders = orders.into_iter().map(Order::from).collect();
    Ok(Json(Page { orders, next }))
}

/// Products on sale.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Products {
    /// All products, sorted by SKU.
    products: Vec<Product>,
}

/// List the products on sale
///
/// The order service prices orders by its own copy of the price list, which this is.
#[utoipa::path(
    get,
    path = "/api/products",
    tag = "products",
    responses((status = 200, description = "Price list", body = Products))
)]
pub(super) async fn list_products(State(api): State<Api>) -> Result<Json<Products>, Problem> {
    let mut db = api.reads.connection().await?;
    let products = store::products(&mut db).await?;
    let products = products.into_iter().map(Product::from).collect();
    Ok(Json(Products { products }))
}
