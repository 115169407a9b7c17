//! Load that is shed: the client shall come back later.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use axum::http::{StatusCode, header};
use futures::{StreamExt, poll, stream::FuturesUnordered};
use runtime::http::REQUEST_TIMEOUT;
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

/// Stops the table for longer than a request may take, as a migration does that rewrites it.
#[sqlx::test]
async fn what_was_refused_by_a_time_limit_is_not_placed_afterwards(pool: PgPool) -> Result<()> {
    /// More than the writers can begin with before the first requests run into their limit.
    const ARRIVALS: usize = 900;

    let service = Service::start(pool).await?;
    let mut stopped = service.pool.begin().await?;
    let lock = "lock table orders in access exclusive mode";
    sqlx::query(lock).execute(&mut *stopped).await?;
    let unlocked = async {
        tokio::time::sleep(REQUEST_TIMEOUT + Duration::from_millis(1_500)).await;
        stopped.rollback().await
    };
    let wish = one_tea();
    let requests = futures::future::join_all((0..ARRIVALS).map(|_| service.place(&wish)));
    let (answers, unlocked) = tokio::join!(requests, unlocked);
    unlocked?;

    let mut accounted_for = 0;
    for answer in answers {
        let answer = answer?;
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        if answer.status == StatusCode::ACCEPTED || detail.contains("may have been placed") {
            accounted_for += 1;
            continue;
        }
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(detail.contains("this one was not placed"), "{detail}");
    }
    assert!(accounted_for < ARRIVALS, "nothing was refused");
    // The writers take requests in turn, so these come after whatever is left of those.
    for _ in 0..3 {
        service.placed().await?;
    }
    let stored = usize::try_from(service.count_orders().await?)? - 3;
    assert!(
        stored <= accounted_for,
        "{stored} stored, {accounted_for} accounted for"
    );
    Ok(())
}

/// A client that goes away cannot ask what became of its order.
#[sqlx::test]
async fn what_a_client_no_longer_waits_for_is_not_begun(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let mut stopped = service.pool.begin().await?;
    let lock = "lock table orders in access exclusive mode";
    sqlx::query(lock).execute(&mut *stopped).await?;
    let wish = one_tea();
    // Both writers are busy with one order each, so that the next one stays in the queue.
    let (mut first, mut second) = (pin!(service.place(&wish)), pin!(service.place(&wish)));
    for busy in 1..=2 {
        if busy == 1 {
            assert!(poll!(&mut first).is_pending());
        } else {
            assert!(poll!(&mut second).is_pending());
        }
        until_waiting_for_a_lock(&service, busy).await?;
    }
    {
        let mut third = pin!(service.place(&wish));
        assert!(poll!(&mut third).is_pending());
    }
    stopped.rollback().await?;
    assert_eq!(first.await?.status, StatusCode::ACCEPTED);
    assert_eq!(second.await?.status, StatusCode::ACCEPTED);
    for _ in 0..3 {
        service.placed().await?;
    }
    assert_eq!(service.count_orders().await?, 5);
    Ok(())
}

async fn until_waiting_for_a_lock(service: &Service, sessions: i64) -> Result<()> {
    let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    let deadline = Instant::now() + Duration::from_secs(10);
    while sqlx::query_scalar::<_, i64>(waiting)
        .fetch_one(&service.pool)
        .await?
        < sessions
    {
        anyhow::ensure!(Instant::now() < deadline, "nobody waits");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
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
