//! Load that is shed: the client shall come back later.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::http::{StatusCode, header};
use futures::{StreamExt, stream::FuturesUnordered};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::support::{Answer, OUTBOX_LIMIT, Service, one_tea};

#[sqlx::test]
async fn without_any_price_list_the_client_shall_come_back(pool: PgPool) -> Result<()> {
    let service = Service::start_without_products(pool).await?;
    let answer = service.place(&one_tea()).await?;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers[header::RETRY_AFTER], "1");
    Ok(())
}

#[sqlx::test]
async fn without_a_database_nothing_is_accepted_and_the_client_shall_come_back(
    pool: PgPool,
) -> Result<()> {
    let service = Service::start(pool).await?;
    service.pool.close().await;
    let answer = service.place(&one_tea()).await?;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers[header::RETRY_AFTER], "1");
    Ok(())
}

#[sqlx::test]
async fn orders_are_refused_while_too_much_waits_for_the_brokers(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let token = CancellationToken::new();
    let measuring = tokio::spawn(service.bus.housekeeping(token.clone()));
    service.placed().await?;

    sqlx::query(
        "insert into messaging.outbox (message_id, transport, shard, destination, routing_key, message_type, body)
         select gen_random_uuid(), 'kafka', 0, 'order-events', '', 'test.backlog.v1', '' from generate_series(1, $1)",
    )
    .bind(OUTBOX_LIMIT)
    .execute(&service.pool)
    .await?;
    let refused = answered(&service, StatusCode::SERVICE_UNAVAILABLE).await?;
    let retry_after: u32 = refused.headers[header::RETRY_AFTER].to_str()?.parse()?;
    assert!((5..=15).contains(&retry_after), "{retry_after}");
    assert_eq!(
        refused.headers[header::CONTENT_TYPE],
        "application/problem+json"
    );
    // What was accepted before can still be followed.
    assert_eq!(service.get("/api/orders").await?.status, StatusCode::OK);

    sqlx::query("delete from messaging.outbox where message_type = 'test.backlog.v1'")
        .execute(&service.pool)
        .await?;
    answered(&service, StatusCode::ACCEPTED).await?;
    token.cancel();
    measuring.await?
}

#[sqlx::test]
async fn orders_are_refused_while_the_database_cannot_keep_up(pool: PgPool) -> Result<()> {
    /// More than may wait and be written at once.
    const ARRIVALS: usize = 1_500;

    let service = Service::start(pool).await?;
    let mut saturated = service.pool.begin().await?;
    let lock = "lock table orders in access exclusive mode";
    sqlx::query(lock).execute(&mut *saturated).await?;
    let wish = one_tea();
    let mut answers: FuturesUnordered<_> = (0..ARRIVALS).map(|_| service.place(&wish)).collect();

    // Nobody else can be answered yet.
    let refused = answers.next().await.context("no answer")??;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        refused.body["detail"],
        "too many orders arrive at once; this one was not placed"
    );
    assert!(refused.headers.contains_key(header::RETRY_AFTER));
    saturated.rollback().await?;

    let mut accepted = 0;
    while let Some(answer) = answers.next().await {
        accepted += usize::from(answer?.status == StatusCode::ACCEPTED);
    }
    assert!((1..ARRIVALS).contains(&accepted), "{accepted} accepted");
    let stored = sqlx::query_scalar("select count(*) from orders");
    let stored: i64 = stored.fetch_one(&service.pool).await?;
    assert_eq!(stored, i64::try_from(accepted)?);
    Ok(())
}

/// Places orders until one is answered like this.
async fn answered(service: &Service, status: StatusCode) -> Result<Answer> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = service.place(&one_tea()).await?;
        if answer.status == status {
            return Ok(answer);
        }
        anyhow::ensure!(Instant::now() < deadline, "never {status}: {}", answer.body);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
