//! A flood of reads leaves connections and time to everybody else.

use std::time::Duration;

use anyhow::{Context, Result};
use axum::http::{StatusCode, header};
use futures::{StreamExt, stream::FuturesUnordered};
use sqlx::PgPool;
use tokio::time::timeout;

use crate::support::Service;

/// More than the pool has connections.
const FLOOD: usize = 64;
const LIST: &str = "/api/orders?limit=100";

/// Lists that never end, because their table is locked: without a limit on them they take the whole pool.
#[sqlx::test]
async fn a_flood_of_lists_leaves_the_pool_to_everybody_else(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let mut stopped = service.pool.begin().await?;
    let lock = "lock table orders in access exclusive mode";
    sqlx::query(lock).execute(&mut *stopped).await?;
    let mut lists: FuturesUnordered<_> = (0..FLOOD).map(|_| service.get(LIST)).collect();
    for _ in 1..FLOOD {
        let refused = lists.next().await.context("no answer")??;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(refused.headers.contains_key(header::RETRY_AFTER));
        assert_eq!(
            refused.headers[header::CONTENT_TYPE],
            "application/problem+json"
        );
    }
    // One list still waits for the table, and nobody else for a connection.
    let products = service.get("/api/products").await?;
    assert_eq!(products.status, StatusCode::OK, "{}", products.body);
    assert_eq!(lists.len(), 1);
    stopped.rollback().await?;
    let listed = lists.next().await.context("no answer")??;
    assert_eq!(listed.status, StatusCode::OK, "{}", listed.body);

    service.placed().await?;
    let listed = service.get(LIST).await?.body;
    assert_eq!(listed["orders"].as_array().map(Vec::len), Some(1));
    Ok(())
}

/// Whoever asks for a list and goes away leaves a connection behind on which the list is still made.
#[sqlx::test]
async fn lists_that_nobody_waits_for_leave_the_pool_to_everybody_else(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let mut stopped = service.pool.begin().await?;
    let lock = "lock table orders in access exclusive mode";
    sqlx::query(lock).execute(&mut *stopped).await?;
    for _ in 0..8 {
        let list = timeout(Duration::from_millis(100), service.get(LIST));
        assert!(list.await.is_err());
    }
    let products = service.get("/api/products").await?;
    assert_eq!(products.status, StatusCode::OK, "{}", products.body);
    stopped.rollback().await?;
    Ok(())
}
