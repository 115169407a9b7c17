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
use serde_json::{Value, json};
use tower::ServiceExt;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

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

#[tokio::test]
async fn good_input_reaches_the_handler() {
    let body = json!({"lines": [{"sku": "A", "quantity": 1}]});
    let (status, _, answer) = post(body.to_string()).await;
    assert_eq!((status, answer), (StatusCode::OK, body));
}

#[tokio::test]
async fn malformed_json_is_400() {
    for body in [
        "",
        "{",
        "{\"lines\": [}",
        "nonsense",
        "{\"lines\": []} {}",
        "\u{0}",
    ] {
        let (status, headers, problem) = post(body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(headers["content-type"], "application/problem+json");
        assert_eq!(problem["title"], "Bad Request");
        assert_eq!(problem["status"], 400);
        assert!(
            problem["detail"]
                .as_str()
                .unwrap()
                .starts_with("the body is not JSON"),
            "{problem}"
        );
    }
    let (status, ..) = post(&b"{\"lines\": [{\"sku\": \"\xff\"}]}"[..]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "not UTF-8");
}

#[tokio::test]
async fn a_body_of_another_shape_is_400_and_names_the_field() {
    let cases = [
        (json!({}), "lines"),
        (json!({"lines": "none"}), "lines"),
        (json!({"lines": [], "colour": "red"}), "colour"),
        (json!({"lines": [{"sku": "A"}]}), "lines[0].quantity"),
        (
            json!({"lines": [{"sku": "A", "quantity": "1"}]}),
            "lines[0].quantity",
        ),
        (
            json!({"lines": [{"sku": "A", "quantity": -1}]}),
            "lines[0].quantity",
        ),
        (
            json!({"lines": [{"sku": "A", "quantity": 1}, {"sku": "A", "quantity": 1, "price": 0}]}),
            "lines[1].price",
        ),
    ];
    for (body, field) in cases {
        let (status, _, problem) = post(body.to_string()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body} {problem}");
        assert_eq!(fields(&problem), [field], "{body} {problem}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_object_is_400() {
    for body in ["[]", "null", "\"text\"", "1"] {
        let (status, _, problem) = post(body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body} {problem}");
    }
}

#[tokio::test]
async fn a_well_formed_body_that_breaks_rules_is_422_and_lists_every_field() {
    let lines = json!({"lines": [{"sku": "A", "quantity": 0}, {"sku": "é", "quantity": 1001}]});
    let (status, headers, problem) = post(lines.to_string()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(
        fields(&problem),
        ["lines[0].quantity", "lines[1].quantity", "lines[1].sku"]
    );
    let (status, _, problem) = post(json!({"lines": []}).to_string()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(fields(&problem), ["lines"]);
}

#[tokio::test]
async fn another_content_type_or_none_is_415() {
    for content_type in [None, Some("text/plain"), Some("application/xml")] {
        let mut request = Request::post("/baskets");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let (status, headers, _) = call(request.body("{}".into()).unwrap()).await;
        assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(headers["content-type"], "application/problem+json");
    }
}

#[tokio::test]
async fn a_body_over_64_kib_is_413() {
    let mut body = json!({"lines": [{"sku": "A", "quantity": 1}]}).to_string();
    body.push_str(&" ".repeat(http::BODY_LIMIT - body.len()));
    let (status, ..) = post(body.clone()).await;
    assert_eq!(status, StatusCode::OK, "exactly the limit");
    body.push(' ');
    let (status, headers, _) = post(body).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(headers["content-type"], "application/problem+json");
}

#[tokio::test]
async fn an_unknown_address_is_404() {
    let (status, headers, problem) = get("/nowhere").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(problem["detail"], "there is nothing at /nowhere");
}

#[tokio::test]
async fn another_method_is_405_and_names_those_allowed() {
    let (status, headers, _) = get("/baskets").await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["allow"], "POST");
}

#[tokio::test]
async fn a_malformed_parameter_is_400_and_named() {
    for (path, field) in [
        ("/baskets/one", "number"),
        ("/baskets/%ff", "number"),
        ("/baskets/1?limit=many", "limit"),
    ] {
        let (status, headers, problem) = get(path).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(headers["content-type"], "application/problem+json");
        assert_eq!(fields(&problem), [field], "{problem}");
    }
}

#[tokio::test]
async fn a_handler_answers_with_the_problem_it_returns() {
    assert_eq!(get("/baskets/404").await.0, StatusCode::NOT_FOUND);
    assert_eq!(get("/baskets/409").await.0, StatusCode::CONFLICT);
}

#[tokio::test]
async fn an_internal_error_is_500_without_its_details() {
    let (status, _, problem) = get("/baskets/500").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!problem.to_string().contains("hunter2"), "{problem}");
}

#[tokio::test]
async fn a_panic_in_a_handler_is_500() {
    let (status, headers, _) = get("/baskets/501").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(headers["content-type"], "application/problem+json");
}

#[tokio::test]
async fn an_overloaded_database_is_503_with_retry_after() {
    let (status, headers, _) = get("/baskets/503").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(headers["retry-after"], "1");
}

#[tokio::test]
async fn the_documentation_uses_relative_addresses_only() {
    let (status, _, document) = get("/openapi.json").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(document["info"]["title"], "baskets");
    assert!(document["paths"]["/baskets"]["post"].is_object());
    let (status, headers, _) = get("/docs").await;
    assert_eq!(
        (status, headers["location"].to_str().unwrap()),
        (StatusCode::SEE_OTHER, "docs/")
    );
    let (status, _, page) = get("/docs/").await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        !page.as_str().unwrap().contains("://"),
        "an outside asset: {page}"
    );
    let (_, _, script) = get("/docs/swagger-initializer.js").await;
    assert!(
        script.as_str().unwrap().contains("\"../openapi.json\""),
        "{script}"
    );
    assert_eq!(get("/docs/nothing.js").await.0, StatusCode::NOT_FOUND);
}
