//! Flash sales over HTTP.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use runtime::http::{Json, Problem, Valid};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Sales;
use super::plan::MOST_ORDERS;

mod json;
use json::{FlashSale, StartFlashSale};

/// The routes of the service.
pub fn routes(sales: Arc<Sales>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(get_sale, start_sale, stop_sale))
        .with_state(sales)
}

/// Get the flash sale that is running, or else the last one
#[utoipa::path(
    get,
    path = "/api/load",
    tag = "flash sale",
    responses((status = 200, description = "The flash sale", body = FlashSale))
)]
async fn get_sale(State(sales): State<Arc<Sales>>) -> Json<FlashSale> {
    Json(FlashSale::new(sales.is_demo, sales.figures()))
}

/// Start a flash sale
///
/// Orders are placed through the gateway by the clock, whether or not earlier ones were answered, at most
/// 100,000 of them.
#[utoipa::path(
    post,
    path = "/api/load",
    tag = "flash sale",
    request_body = StartFlashSale,
    responses(
        (status = 202, description = "It has begun", body = FlashSale),
        (status = 403, description = "Not in demo mode, or sent by a page of another site, says `Sec-Fetch-Site` or `Origin`"),
        (status = 409, description = "One is running"),
        (status = 422, description = "A number is out of range, or there would be more than 100,000 orders; `errors` names the field"),
    )
)]
async fn start_sale(
    State(sales): State<Arc<Sales>>,
    Valid(wanted): Valid<StartFlashSale>,
) -> Result<(StatusCode, Json<FlashSale>), Problem> {
    demo_only(&sales)?;
    let plan = wanted.plan();
    if plan.orders() > MOST_ORDERS {
        let message = format!(
            "these would be {} orders, more than {MOST_ORDERS}",
            plan.orders()
        );
        return Err(Problem::unprocessable("seconds", message));
    }
    let started = sales.start(plan)?;
    let started = started.ok_or_else(|| Problem::conflict("a flash sale is running"))?;
    Ok((
        StatusCode::ACCEPTED,
        Json(FlashSale::new(sales.is_demo, Some(started))),
    ))
}

/// Stop the flash sale
///
/// Answers once it has ended, within a second. Does nothing when none is running.
#[utoipa::path(
    delete,
    path = "/api/load",
    tag = "flash sale",
    responses(
        (status = 200, description = "The flash sale, which has ended", body = FlashSale),
        (status = 403, description = "Not in demo mode, or sent by a page of another site, says `Sec-Fetch-Site` or `Origin`"),
    )
)]
async fn stop_sale(State(sales): State<Arc<Sales>>) -> Result<Json<FlashSale>, Problem> {
    demo_only(&sales)?;
    Ok(Json(FlashSale::new(sales.is_demo, sales.stop().await)))
}

fn demo_only(sales: &Sales) -> Result<(), Problem> {
    if sales.is_demo {
        return Ok(());
    }
    let detail = "flash sales are for demonstrations: they need SPILLWAY_DEMO=true";
    Err(Problem::new(StatusCode::FORBIDDEN, detail))
}
