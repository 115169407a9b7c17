//! The answers to good and bad requests: the real router, the real database, no broker.

use anyhow::{Context, Result};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Request, StatusCode, header};
use inventory::http::{Api, routes};
use messaging::testing;
use runtime::config::AdminArgs;
use runtime::health::Health;
use serde_json::{Value, json};
use sqlx::PgPool;
use tower::ServiceExt;

#[sqlx::test]
async fn the_stock_is_listed_by_sku(pool: PgPool) -> Result<()> {
    let (status, list) = get(&pool, "/api/stock").await?;
    assert_eq!(status, StatusCode::OK);
    let skus: Vec<_> = list
        .as_array()
        .context("a list")?
        .iter()
        .map(|level| level["sku"].as_str())
        .collect();
    assert_eq!(skus.len(), 12);
    assert!(skus.is_sorted());
    Ok(())
}

#[sqlx::test]
async fn a_stock_level_has_a_name_and_all_pieces(pool: PgPool) -> Result<()> {
    let (status, level) = get(&pool, "/api/stock/GATE-WHEEL").await?;
    assert_eq!(status, StatusCode::OK);
    let expected = json!({"sku": "GATE-WHEEL", "name": "Brass sluice gate wheel",
                          "available": 3, "reserved": 0, "sold": 0, "version": 1});
    assert_eq!(level, expected);
    Ok(())
}

#[sqlx::test]
async fn an_unknown_sku_is_answered_with_404(pool: PgPool) -> Result<()> {
    assert_eq!(
        get(&pool, "/api/stock/NONE").await?.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        restock(&pool, "NONE", None, r#"{"quantity": 1}"#).await?.0,
        StatusCode::NOT_FOUND
    );
    Ok(())
}

#[sqlx::test]
async fn a_sku_that_no_database_can_store_is_unknown_as_well(pool: PgPool) -> Result<()> {
    assert_eq!(
        get(&pool, "/api/stock/A%00B").await?.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        restock(&pool, "A%00B", None, r#"{"quantity": 1}"#).await?.0,
        StatusCode::NOT_FOUND
    );
    Ok(())
}

#[sqlx::test]
async fn a_restock_answers_with_the_new_level_and_publishes_it(pool: PgPool) -> Result<()> {
    let (status, level) = restock(&pool, "GATE-WHEEL", None, r#"{"quantity": 4}"#).await?;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (&level["available"], &level["version"]),
        (&json!(7), &json!(2))
    );
    let published: i64 = sqlx::query_scalar("select count(*) from messaging.outbox")
        .fetch_one(&pool)
        .await?;
    assert_eq!(published, 1);
    Ok(())
}

#[sqlx::test]
async fn a_repeated_restock_gets_its_first_answer_again(pool: PgPool) -> Result<()> {
    let body = r#"{"quantity": 4}"#;
    let first = restock(&pool, "GATE-WHEEL", Some("monday"), body).await?;
    restock(&pool, "GATE-WHEEL", Some("tuesday"), body).await?;
    assert_eq!(
        restock(&pool, "GATE-WHEEL", Some("monday"), body).await?,
        first
    );
    let (_, level) = get(&pool, "/api/stock/GATE-WHEEL").await?;
    assert_eq!(level["available"], 11);
    Ok(())
}

#[sqlx::test]
async fn an_idempotency_key_of_another_delivery_is_answered_with_422(pool: PgPool) -> Result<()> {
    restock(&pool, "GATE-WHEEL", Some("monday"), r#"{"quantity": 4}"#).await?;
    for (sku, body) in [
        ("GATE-WHEEL", r#"{"quantity": 5}"#),
        ("LAMP-HEAD", r#"{"quantity": 4}"#),
    ] {
        let (status, problem) = restock(&pool, sku, Some("monday"), body).await?;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(problem["errors"][0]["field"], "Idempotency-Key");
    }
    Ok(())
}

#[sqlx::test]
async fn an_idempotency_key_that_is_malformed_is_answered_with_400(pool: PgPool) -> Result<()> {
    for key in ["", "a b", "x".repeat(256).as_str()] {
        let (status, problem) =
            restock(&pool, "GATE-WHEEL", Some(key), r#"{"quantity": 4}"#).await?;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(problem["errors"][0]["field"], "Idempotency-Key");
    }
    Ok(())
}

#[sqlx::test]
async fn a_bad_restock_is_answered_with_the_field_that_is_wrong(pool: PgPool) -> Result<()> {
    let cases = [
        (r#"{"quantity": 0}"#, StatusCode::UNPROCESSABLE_ENTITY),
        (r#"{"quantity": 1000001}"#, StatusCode::UNPROCESSABLE_ENTITY),
        (
            r#"{"quantity": 99999999999999999999}"#,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (r#"{"quantity": "many"}"#, StatusCode::BAD_REQUEST),
        (r#"{}"#, StatusCode::BAD_REQUEST),
    ];
    for (body, expected) in cases {
        let (status, problem) = restock(&pool, "GATE-WHEEL", None, body).await?;
        assert_eq!(status, expected, "{body}");
        assert_eq!(problem["errors"][0]["field"], "quantity", "{body}");
    }
    let (status, problem) =
        restock(&pool, "GATE-WHEEL", None, r#"{"quantity": 1, "note": "!"}"#).await?;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(problem["errors"][0]["field"], "note");
    assert_eq!(
        restock(&pool, "GATE-WHEEL", None, "{").await?.0,
        StatusCode::BAD_REQUEST
    );
    let huge = format!(r#"{{"quantity": 1, "note": "{}"}}"#, "x".repeat(70_000));
    assert_eq!(
        restock(&pool, "GATE-WHEEL", None, &huge).await?.0,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    Ok(())
}

#[sqlx::test]
async fn a_body_that_is_not_json_is_answered_with_415(pool: PgPool) -> Result<()> {
    let request = Request::post("/api/stock/GATE-WHEEL/restocks")
        .header(header::HOST, "localhost")
        .body(Body::from("4"))?;
    assert_eq!(
        call(&pool, request).await?.0,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    Ok(())
}

#[sqlx::test]
async fn a_read_only_database_is_answered_with_503_and_when_to_come_back(
    pool: PgPool,
) -> Result<()> {
    messaging::migrate(&pool).await?;
    let options = pool.connect_options().as_ref().clone();
    let read_only = sqlx::postgres::PgPoolOptions::new()
        .connect_lazy_with(options.options([("default_transaction_read_only", "on")]));
    let api = Api::new(
        &read_only,
        testing::bus_without_database("inventory", &read_only)?,
        AdminArgs::default(),
    );
    let app = runtime::http::app("inventory", routes(api), Health::default(), &[]);
    let request = Request::post("/api/stock/GATE-WHEEL/restocks")
        .header(header::HOST, "localhost")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(r#"{"quantity": 1}"#))?;
    let response = app.oneshot(request).await?;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "application/problem+json"
    );
    assert!(response.headers().contains_key(header::RETRY_AFTER));
    Ok(())
}

async fn get(pool: &PgPool, path: &str) -> Result<(StatusCode, Value)> {
    call(pool, Request::get(path).body(Body::empty())?).await
}

async fn restock(
    pool: &PgPool,
    sku: &str,
    key: Option<&str>,
    body: &str,
) -> Result<(StatusCode, Value)> {
    let mut request = Request::post(format!("/api/stock/{sku}/restocks"))
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(key) = key {
        request = request.header("Idempotency-Key", key);
    }
    call(pool, request.body(Body::from(body.to_owned()))?).await
}

async fn call(pool: &PgPool, mut request: Request<Body>) -> Result<(StatusCode, Value)> {
    let api = Api::new(
        pool,
        testing::bus("inventory", pool).await?,
        AdminArgs::default(),
    );
    let app = runtime::http::app("inventory", routes(api), Health::default(), &[]);
    let host = HeaderValue::from_static("localhost");
    request.headers_mut().entry(header::HOST).or_insert(host);
    let response = app.oneshot(request).await?;
    let status = response.status();
    if !status.is_success() {
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
    }
    let body = to_bytes(response.into_body(), usize::MAX).await?;
    Ok((status, serde_json::from_slice(&body)?))
}
