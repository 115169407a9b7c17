//! Bad input is answered with a problem that names what is wrong, never with a 5xx.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed test may panic, and one handler must"
)]

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, HeaderValue, Request, StatusCode},
};
use runtime::{
    health::Health,
    http::{self, Json, Path, Problem, Query, Valid},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower::ServiceExt;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

mod answers;
mod bodies;

#[derive(Deserialize, Serialize, ToSchema, garde::Validate)]
#[serde(deny_unknown_fields)]
struct Basket {
    #[garde(length(min = 1, max = 2), dive)]
    lines: Vec<Line>,
}

#[derive(Deserialize, Serialize, ToSchema, garde::Validate)]
#[serde(deny_unknown_fields)]
struct Line {
    #[garde(ascii)]
    sku: String,
    #[garde(range(min = 1, max = 1000))]
    quantity: u32,
}

#[derive(Deserialize)]
struct Paging {
    limit: Option<u8>,
}

#[utoipa::path(post, path = "/baskets", request_body = Basket, responses((status = 200, body = Basket)))]
async fn create(Valid(basket): Valid<Basket>) -> Json<Basket> {
    Json(basket)
}

#[utoipa::path(get, path = "/baskets/{number}", responses((status = 200)))]
async fn read(Path(number): Path<u32>, Query(paging): Query<Paging>) -> Result<String, Problem> {
    match number {
        404 => Err(Problem::not_found("there is no such basket")),
        409 => Err(Problem::conflict("the basket is closed")),
        500 => Err(anyhow::anyhow!("the password is hunter2").into()),
        501 => panic!("a bug"),
        503 => Err(anyhow::Error::new(sqlx::Error::PoolTimedOut)
            .context("reading")
            .into()),
        number => Ok(format!("{number} {:?}", paging.limit)),
    }
}

fn app() -> Router {
    http::app(
        "baskets",
        OpenApiRouter::new()
            .routes(routes!(create))
            .routes(routes!(read)),
        Health::default(),
        &["shop.example".to_owned()],
    )
}

async fn call(mut request: Request<Body>) -> (StatusCode, HeaderMap, Value) {
    let host = HeaderValue::from_static("localhost");
    request.headers_mut().entry("host").or_insert(host);
    let response = app().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let body =
        serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into());
    (parts.status, parts.headers, body)
}

async fn get(path: &str) -> (StatusCode, HeaderMap, Value) {
    call(Request::get(path).body(Body::empty()).unwrap()).await
}

async fn post(body: impl Into<Body>) -> (StatusCode, HeaderMap, Value) {
    let request =
        Request::post("/baskets").header("content-type", "application/json; charset=utf-8");
    call(request.body(body.into()).unwrap()).await
}

/// The fields that a problem names.
fn fields(problem: &Value) -> Vec<&str> {
    problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"].as_str().unwrap())
        .collect()
}
