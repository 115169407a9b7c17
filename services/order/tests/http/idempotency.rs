//! One `Idempotency-Key`, one order.

use anyhow::Result;
use axum::http::StatusCode;
use serde_json::json;
use sqlx::PgPool;

use crate::order_with;
use crate::support::{Service, TEA, one_tea};

#[sqlx::test]
async fn an_idempotency_key_of_another_request_is_refused(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let first = service.place_with_key("key-1", &one_tea()).await?;
    // White space and the order of fields do not make another request; a default spelled out does not either.
    let respelled = json!({
        "lines": [{"quantity": 1, "sku": TEA}],
        "customer": {"tier": "standard", "email": "ada@example.org"},
    });
    let again = service.place_with_key("key-1", &respelled).await?;
    assert_eq!(
        (again.status, again.id()?),
        (StatusCode::ACCEPTED, first.id()?)
    );

    let other = service
        .place_with_key("key-1", &order_with("/lines/0/quantity", json!(3)))
        .await?;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(other.fields(), ["Idempotency-Key"]);
    assert_eq!(service.count_orders().await?, 1);
    Ok(())
}

#[sqlx::test]
async fn a_malformed_idempotency_key_is_refused(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    for key in ["", "with space", "ä", &"x".repeat(256)] {
        let answer = service.place_with_key(key, &one_tea()).await?;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{key}");
        assert_eq!(answer.fields(), ["Idempotency-Key"], "{key}");
    }
    let longest = service.place_with_key(&"x".repeat(255), &one_tea()).await?;
    assert_eq!(longest.status, StatusCode::ACCEPTED);
    Ok(())
}

#[sqlx::test]
async fn a_hundred_concurrent_requests_with_one_key_give_one_order(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let tea = one_tea();
    let mut ids = Vec::new();
    // Each has its own place in the queue of the intake; half of them are other orders in between.
    let requests = (0..100).map(|_| async {
        let answer = service.place_with_key("the-key", &tea).await?;
        service.place(&tea).await?;
        anyhow::ensure!(answer.status == StatusCode::ACCEPTED, "{}", answer.body);
        answer.id()
    });
    for id in futures::future::join_all(requests).await {
        ids.push(id?);
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(service.count_orders().await?, 1 + 100);
    assert_eq!(
        service.published(ids[0]).await?,
        ["reserve-stock", "order-placed"]
    );
    Ok(())
}
