//! Transactions that decide at the same time.

use std::time::Duration;

use anyhow::Result;
use inventory::domain::{Decision, Stock};
use inventory::store;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::{pieces, release, reserve, transact};

#[sqlx::test]
async fn many_buyers_at_once_get_no_piece_twice(pool: PgPool) -> Result<()> {
    let buyers = (0..8).map(|_| {
        let pool = pool.clone();
        tokio::spawn(async move { transact(&pool, &[reserve(Uuid::now_v7(), 1)]).await })
    });
    let mut reserved = 0;
    for buyer in buyers.collect::<Vec<_>>() {
        reserved += usize::from(buyer.await?? == [Decision::Reserved]);
    }
    assert_eq!(reserved, 3);
    assert_eq!(pieces(&pool).await?, (0, 3, 0, 4));
    Ok(())
}

#[sqlx::test]
async fn two_first_decisions_about_one_order_cannot_both_be_written(pool: PgPool) -> Result<()> {
    let order = Uuid::now_v7();
    let (mut fast, mut slow) = (pool.begin().await?, pool.begin().await?);
    // Neither finds a row to lock.
    let (mut seen_by_fast, mut seen_by_slow) =
        (lock(&mut fast, order).await?, lock(&mut slow, order).await?);
    seen_by_fast.decide(&release(order));
    seen_by_slow.decide(&release(order));
    store::save(&mut fast, &seen_by_fast).await?;
    let waiting = tokio::spawn(async move { store::save(&mut slow, &seen_by_slow).await });
    until_somebody_waits_for_a_lock(&pool).await?;
    fast.commit().await?;
    let error = waiting.await?.err().map(|error| error.to_string());
    assert_eq!(
        error.as_deref(),
        Some("another instance decided about one of the orders at the same time")
    );
    Ok(())
}

async fn lock(db: &mut PgConnection, order: Uuid) -> Result<Stock> {
    store::lock(db, &[order], &[]).await
}

async fn until_somebody_waits_for_a_lock(pool: &PgPool) -> Result<()> {
    let waiting = async {
        loop {
            let waits: bool = sqlx::query_scalar(
                "select exists (select from pg_stat_activity
                                where datname = current_database() and wait_event_type = 'Lock')",
            )
            .fetch_one(pool)
            .await?;
            if waits {
                return anyhow::Ok(());
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), waiting).await?
}
