use std::collections::BTreeSet;

use axum::extract::State;
use runtime::http::{Json, Path, Problem};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Api;
use super::json::{Fact, Order, Span};
use crate::store;

/// What happened to an order.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Timeline {
    /// The order as it is now.
    order: Order,
    /// What the topics say about it: known of every order.
    facts: Vec<Fact>,
    /// What the services have exported about its way: known of traced orders only.
    spans: Vec<Span>,
    /// Whether there are any.
    traced: bool,
}

/// Get the time line of one order
///
/// Facts come from Kafka and are there for every order; spans are there for orders that are traced, one in a hundred
/// and those that were placed with a sampled `traceparent`.
#[utoipa::path(
    get,
    path = "/api/console/orders/{id}",
    tag = "orders",
    params(("id" = Uuid, Path, description = "Id of the order")),
    responses(
        (status = 200, description = "What happened to the order", body = Timeline),
        (status = 404, description = "No topic has told of such an order"),
    )
)]
pub(super) async fn get_order(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
) -> Result<Json<Timeline>, Problem> {
    api.live.is_asked();
    let pool = &api.live.pool;
    let order = store::order(pool, id).await?;
    let order =
        order.ok_or_else(|| Problem::not_found(format!("no topic has told of an order {id}")))?;
    let facts = store::facts_of(pool, id).await?;
    let traces: BTreeSet<_> = facts
        .iter()
        .filter_map(|fact| fact.trace_id.clone())
        .collect();
    let traces: Vec<_> = traces.into_iter().collect();
    let spans = store::spans_of(pool, &traces).await?;
    Ok(Json(Timeline {
        order: order.into(),
        traced: !spans.is_empty(),
        facts: facts.into_iter().map(Fact::from).collect(),
        spans: spans.into_iter().map(Span::from).collect(),
    }))
}
