use axum::extract::State;
use messaging::Cause;
use opentelemetry::Context;
use runtime::http::{Json, Path, Problem};
use tracing::info;
use uuid::Uuid;

use super::{Api, json::Order, read::no_order};
use crate::{
    announce::announce,
    domain::{Event, Outcome},
    store,
};

/// Pay a confirmed order
///
/// Idempotent: paying a paid order again changes nothing. The request has no body.
#[utoipa::path(
    post,
    path = "/api/orders/{id}/payment",
    tag = "orders",
    params(("id" = Uuid, Path, description = "Id of the order")),
    responses(
        (status = 200, description = "The order, paid", body = Order),
        (status = 404, description = "No such order"),
        (status = 409, description = "The order cannot be paid in its current status; `detail` names it"),
    )
)]
pub(super) async fn pay_order(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
) -> Result<Json<Order>, Problem> {
    settle(&api, id, Event::Payment, "paid").await
}

/// Cancel an order that is not paid
///
/// Idempotent: cancelling a cancelled order again changes nothing. The request has no body.
#[utoipa::path(
    post,
    path = "/api/orders/{id}/cancellation",
    tag = "orders",
    params(("id" = Uuid, Path, description = "Id of the order")),
    responses(
        (status = 200, description = "The order, cancelled", body = Order),
        (status = 404, description = "No such order"),
        (status = 409, description = "The order cannot be cancelled in its current status; `detail` names it"),
    )
)]
pub(super) async fn cancel_order(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
) -> Result<Json<Order>, Problem> {
    settle(&api, id, Event::Cancellation, "cancelled").await
}

async fn settle(api: &Api, id: Uuid, event: Event, wanted: &str) -> Result<Json<Order>, Problem> {
    let cause = Cause::from_context(&Context::current());
    let mut tx = api.bus.begin().await?;
    let mut order = store::lock(&mut tx, &[id])
        .await?
        .remove(&id)
        .ok_or_else(|| no_order(id))?;
    match order.apply(event, store::now()) {
        Outcome::Changed => {
            store::save(&mut tx, &[&order]).await?;
            announce(&mut tx, &cause, &order);
            tx.commit().await?;
            info!(order_id = %id, trace_id = cause.trace_id(), "order {wanted} by the customer");
            Ok(Json(order.into()))
        }
        Outcome::Unchanged => Ok(Json(order.into())),
        Outcome::Conflict => {
            let status = order.status.as_str();
            Err(Problem::conflict(format!(
                "the order is {status}, so it cannot be {wanted}"
            )))
        }
    }
}
