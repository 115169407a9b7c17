use axum::extract::State;
use jiff::Timestamp;
use runtime::http::{Admin, Json, PageSize, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Api;
use super::json::{Order, Status};
use crate::store;

/// Which orders to look for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Search {
    /// Only this order.
    id: Option<Uuid>,
    /// Only orders with this status.
    #[param(inline)]
    status: Option<Status>,
    /// Only orders of customers whose address is or begins so.
    email: Option<String>,
    /// Only orders placed at this time or later.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Only orders placed before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Page size, 20 by default.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// Last order of the previous page: its `next`.
    before: Option<Uuid>,
}

/// Page of orders, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page {
    /// Orders of the page.
    orders: Vec<Order>,
    /// Value of `before` for the next page; null on the last page.
    next: Option<Uuid>,
}

/// Look for orders, newest first
///
/// As the topics tell of them: an order that was placed a moment ago may be missing.
#[utoipa::path(
    get,
    path = "/api/console/orders",
    tag = "orders",
    params(Search),
    security(("admin" = [])),
    responses(
        (status = 200, description = "Page of orders", body = Page),
        (status = 422, description = "`limit` is not within 1 to 100"),
    )
)]
pub(super) async fn list_orders(
    _: Admin,
    State(api): State<Api>,
    Query(search): Query<Search>,
) -> Result<Json<Page>, Problem> {
    let size = PageSize::asked(search.limit)?;
    let email = search.email.filter(|email| !email.is_empty());
    if email.as_ref().is_some_and(|email| email.contains('\0')) {
        return Err(Problem::bad_request("a parameter is malformed")
            .field("email", "no address contains NUL"));
    }
    let filter = store::Filter {
        id: search.id,
        status: search.status.map(|status| status.as_str().to_owned()),
        email,
        since: search.since,
        until: search.until,
        before: search.before,
        limit: size.and_one(),
    };
    api.live.is_asked();
    let mut orders = store::orders(&api.live.pool, &filter).await?;
    let next = size.cut(&mut orders).map(|last| last.id);
    let orders = orders.into_iter().map(Order::from).collect();
    Ok(Json(Page { orders, next }))
}
