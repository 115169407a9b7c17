//! What was told to whom, over HTTP.

use axum::extract::State;
use runtime::http::{Bulkhead, Json, Problem, Query};
use serde::Deserialize;
use sqlx::PgPool;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::store;

mod json;
use json::Notification;

/// The routes of the service. Most of the pool is left to those who notify.
pub fn routes(pool: &PgPool) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_notifications))
        .with_state(Bulkhead::new(pool, 3))
}

/// Which notifications to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Selection {
    /// Id of the order.
    pub order_id: Uuid,
}

/// List the notifications about an order, oldest first
///
/// Empty for an order that the service has not heard of.
#[utoipa::path(
    get,
    path = "/api/notifications",
    tag = "notifications",
    params(Selection),
    responses(
        (status = 200, description = "Notifications about the order", body = Vec<Notification>),
        (status = 400, description = "`order_id` is missing or not a UUID"),
    )
)]
async fn list_notifications(
    State(reads): State<Bulkhead>,
    Query(Selection { order_id }): Query<Selection>,
) -> Result<Json<Vec<Notification>>, Problem> {
    let mut db = reads.connection().await?;
    let found = store::of_order(&mut db, order_id).await?;
    Ok(Json(found.into_iter().map(Notification::from).collect()))
}
