use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use messaging::Cause;
use opentelemetry::Context;
use runtime::http::{Deadline, IdempotencyKey, Json, Problem, Valid};

use super::{Api, json::Order, request::PlaceOrder};
use crate::{
    domain::PriceError,
    intake::{NewOrderRequest, Refusal},
};

/// Place an order
///
/// An accepted order is stored and will not be lost. Follow it at `Location`: a moment later it is
/// `confirmed` or, when the stock is short, `rejected`.
#[utoipa::path(
    post,
    path = "/api/orders",
    tag = "orders",
    request_body = PlaceOrder,
    params(IdempotencyKey),
    responses(
        (status = 202, description = "Order accepted", body = Order, headers(("Location" = String, description = "Address of the order"))),
        (status = 422, description = "Valid JSON that breaks a rule, such as an unknown SKU, the same SKU twice, or an `Idempotency-Key` that was used for another order; `errors` names the fields"),
        (status = 503, description = "The service cannot take orders at the moment. The order was not placed and will not be, unless `detail` says that it may have been placed: then ask again with the same `Idempotency-Key`"),
    )
)]
pub(super) async fn place_order(
    State(api): State<Api>,
    Deadline(deadline): Deadline,
    key: Option<IdempotencyKey>,
    Valid(body): Valid<PlaceOrder>,
) -> Result<impl IntoResponse, Problem> {
    let idempotency = key.map(|key| body.idempotency(key)).transpose()?;
    let (customer, lines) = body.into_customer_and_lines()?;
    let cause = Cause::from_context(&Context::current());
    let order = api
        .intake
        .place(
            NewOrderRequest {
                customer,
                lines,
                idempotency,
                cause,
            },
            deadline,
        )
        .await?;
    let location = [(header::LOCATION, format!("/api/orders/{}", order.id))];
    Ok((StatusCode::ACCEPTED, location, Json(Order::from(order))))
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::NoPrice(
                PriceError::UnknownSku { line, .. } | PriceError::MixedCurrencies { line },
            ) => Self::unprocessable(format!("lines[{line}].sku"), message),
            Refusal::NoPrice(PriceError::TooLarge) => Self::unprocessable("lines", message),
            Refusal::KeyReused => Self::unprocessable(IdempotencyKey::HEADER, message),
            // A backlog takes a while, and those who wait for it should not come back all at once.
            Refusal::Backlog => Self::unavailable(message, fastrand::u32(5..=15)),
            Refusal::NoPriceList
            | Refusal::Overloaded
            | Refusal::Unavailable
            | Refusal::Uncertain { .. } => Self::unavailable(message, 1),
        }
    }
}
