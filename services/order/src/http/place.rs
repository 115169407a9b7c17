use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use messaging::Cause;
use opentelemetry::Context;
use runtime::http::{IdempotencyKey, Json, Problem, Valid};

use super::{Api, request::PlaceOrder};
use crate::{
    domain::{Order, PriceError},
    intake::{Refusal, Request},
};

/// Place an order
///
/// The order is accepted and durable; whether its stock can be reserved shows a little later.
#[utoipa::path(
    post,
    path = "/api/orders",
    tag = "orders",
    request_body = PlaceOrder,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeating the request with the same key answers the same order")),
    responses(
        (status = 202, description = "The order, accepted", body = Order, headers(("Location" = String, description = "Where the order can be followed"))),
        (status = 422, description = "Well-formed and wrong"),
        (status = 503, description = "Cannot be taken now: too much waits already, or the database is away"),
    )
)]
pub(super) async fn place_order(
    State(api): State<Api>,
    key: Option<IdempotencyKey>,
    Valid(body): Valid<PlaceOrder>,
) -> Result<impl IntoResponse, Problem> {
    let keyed = key.map(|key| body.keyed(key)).transpose()?;
    let (customer, lines) = body.into_wish()?;
    let cause = Cause::from_context(&Context::current());
    let order = api
        .intake
        .place(Request {
            customer,
            lines,
            keyed,
            cause,
        })
        .await?;
    let location = [(header::LOCATION, format!("/api/orders/{}", order.id))];
    Ok((StatusCode::ACCEPTED, location, Json(order)))
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
            Refusal::NoPriceList | Refusal::Overloaded | Refusal::Unavailable => {
                Self::unavailable(message, 1)
            }
        }
    }
}
