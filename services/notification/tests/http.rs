//! The answers to good and bad requests: the real router, the real database, no broker.

use anyhow::Result;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use contracts::{Channel, OrderEventName};
use notification::http::routes;
use notification::store::{self, NewNotification};
use runtime::health::Health;
use runtime::testing::{Operation, Values};
use serde_json::{Value, json};
use sqlx::PgPool;
use tower::ServiceExt;
use uuid::Uuid;

#[sqlx::test]
async fn the_notifications_of_an_order_are_listed(pool: PgPool) -> Result<()> {
    let new = NewNotification {
        id: Uuid::now_v7(),
        order_id: Uuid::now_v7(),
        event: OrderEventName::OrderPaid,
        channel: Channel::Email,
        recipient: "ada@example.com".to_owned(),
    };
    store::insert(&mut *pool.acquire().await?, std::slice::from_ref(&new)).await?;
    let (status, list) = get(pool, &format!("order_id={}", new.order_id)).await?;
    assert_eq!(status, StatusCode::OK);
    let expected = json!([{
        "id": new.id, "order_id": new.order_id, "event": "order-paid", "channel": "email",
        "recipient": "ada@example.com", "status": "queued",
        "created_at": list[0]["created_at"], "sent_at": null, "reference": null,
    }]);
    assert_eq!(list, expected);
    Ok(())
}

#[sqlx::test]
async fn an_order_that_nobody_was_told_about_has_an_empty_list(pool: PgPool) -> Result<()> {
    let (status, list) = get(pool, &format!("order_id={}", Uuid::now_v7())).await?;
    assert_eq!((status, list), (StatusCode::OK, json!([])));
    Ok(())
}

#[sqlx::test]
async fn a_missing_or_malformed_order_id_is_answered_with_400(pool: PgPool) -> Result<()> {
    for query in ["", "order=1", "order_id=", "order_id=17"] {
        let (status, problem) = get(pool.clone(), query).await?;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(problem["errors"][0]["field"], "order_id", "{query}");
    }
    Ok(())
}

async fn get(pool: PgPool, query: &str) -> Result<(StatusCode, Value)> {
    let app = runtime::http::app("notification", routes(&pool), Health::default(), &[]);
    let request = Request::get(format!("/api/notifications?{query}"))
        .header(header::HOST, "localhost")
        .body(Body::empty())?;
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

#[sqlx::test]
async fn whatever_the_schemas_allow_is_accepted(pool: PgPool) -> Result<()> {
    let document = include_str!("../../../docs/openapi/notification.json");
    for operation in Operation::all(&serde_json::from_str(document)?)? {
        for _ in 0..50 {
            let call = operation.generated(&Values::default())?;
            let app = runtime::http::app("notification", routes(&pool), Health::default(), &[]);
            let response = app.oneshot(call.request()?).await?;
            assert_eq!(response.status(), StatusCode::OK, "{call:?}");
        }
    }
    Ok(())
}
