//! What an order costs PostgreSQL, counted in rows: the sale waits for the same cores.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use console::handlers::{RecordDecisions, RecordLevels, RecordOrders};
use contracts::{StockEvent, StockLevelChanged, StockReserved};
use messaging::{BatchHandler, Bus, Received, testing};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::support::samples::{confirmed, now, paid, placed};

const ORDERS: i64 = 100;

/// How many rows of a table a transaction has written, and how many of those in place of others.
type Written = BTreeMap<String, (i64, i64)>;

#[sqlx::test]
async fn an_order_that_is_confirmed_at_once_is_written_once_and_records_of_one_type_share_a_row(
    pool: PgPool,
) -> Result<()> {
    let bus = testing::bus("console", &pool).await?;
    let ids: Vec<_> = (0..ORDERS).map(|_| Uuid::now_v7()).collect();
    let events = records(0, ids.iter().flat_map(|id| [placed(*id), confirmed(*id)]));
    let expected = written(&[
        ("gathered_facts", 2, 0),
        ("noted", 1, 0),
        ("orders", 100, 0),
    ]);
    assert_eq!(handle(&bus, &RecordOrders, &events).await?, expected);

    let reserved = ids
        .iter()
        .map(|id| StockEvent::from(StockReserved { order_id: *id }));
    let expected = written(&[("gathered_facts", 1, 0), ("noted", 1, 0)]);
    let reserved = records(0, reserved);
    assert_eq!(handle(&bus, &RecordDecisions, &reserved).await?, expected);

    let paid = records(200, ids.iter().map(|id| paid(*id)));
    let expected = written(&[
        ("gathered_facts", 1, 0),
        ("noted", 1, 1),
        ("orders", 100, 100),
    ]);
    assert_eq!(handle(&bus, &RecordOrders, &paid).await?, expected);
    Ok(())
}

/// After a crash a thousand facts come again, and each could be in any of thousands of rows.
#[sqlx::test]
async fn what_comes_again_is_not_looked_for_and_writes_no_order_and_no_level(
    pool: PgPool,
) -> Result<()> {
    let bus = testing::bus("console", &pool).await?;
    let ids: Vec<_> = (0..ORDERS).map(|_| Uuid::now_v7()).collect();
    let events = records(0, ids.iter().flat_map(|id| [placed(*id), confirmed(*id)]));
    handle(&bus, &RecordOrders, &events).await?;
    for (again, types) in [(&events[..], 2), (&events[..1], 1), (&events[1..], 2)] {
        let again = handle(&bus, &RecordOrders, again).await?;
        let expected = written(&[("gathered_facts", types, 0), ("noted", 1, 1)]);
        assert_eq!(again, expected);
    }
    let levels = records(0, [level(2)]);
    let expected = written(&[("stock", 1, 0)]);
    assert_eq!(handle(&bus, &RecordLevels, &levels).await?, expected);
    assert_eq!(handle(&bus, &RecordLevels, &levels).await?, Written::new());
    Ok(())
}

#[sqlx::test]
async fn of_many_levels_of_one_product_the_newest_is_written(pool: PgPool) -> Result<()> {
    let bus = testing::bus("console", &pool).await?;
    let levels = records(0, (1..=ORDERS).map(level));
    let expected = written(&[("stock", 1, 0)]);
    assert_eq!(handle(&bus, &RecordLevels, &levels).await?, expected);
    Ok(())
}

/// Every order writes into each of these. The others have an entry for many pages, or for many facts.
#[sqlx::test]
async fn an_order_has_entries_in_these_indexes_and_no_others(pool: PgPool) -> Result<()> {
    let indexes: Vec<(String, bool)> = sqlx::query_as(
        "select indexname::text, indexdef like '% USING btree %' from pg_indexes
         where tablename in ('gathered_facts', 'orders') order by 1",
    )
    .fetch_all(&pool)
    .await?;
    let indexes: Vec<_> = indexes
        .iter()
        .map(|(name, of_rows)| (name.as_str(), *of_rows))
        .collect();
    let expected = [
        ("gathered_facts_orders", false),
        ("orders_decided", false),
        ("orders_email", true),
        ("orders_pkey", true),
        ("orders_status", true),
    ];
    assert_eq!(indexes, expected);
    Ok(())
}

/// Handles a batch and commits it, and looks for no fact. Counts what was written before that, table by table.
async fn handle<H: BatchHandler>(
    bus: &Bus,
    handler: &H,
    batch: &[Received<H::Message>],
) -> Result<Written> {
    let mut tx = bus.begin().await?;
    let (before, looks) = (counted(&mut tx).await?, looks_for_facts(&mut tx).await?);
    let handled = handler.handle_batch(&mut tx, batch).await;
    handled.map_err(|failure| anyhow!("{failure}"))?;
    let after = counted(&mut tx).await?;
    assert_eq!(looks_for_facts(&mut tx).await?, looks);
    tx.commit().await?;
    let written = after.into_iter().map(|(table, (all, anew))| {
        let (all_before, anew_before) = before.get(&table).copied().unwrap_or_default();
        (table, (all - all_before, anew - anew_before))
    });
    Ok(written.filter(|(_, rows)| *rows != (0, 0)).collect())
}

/// How often this connection has gone through the tables of facts or one of their indexes, counted as below.
async fn looks_for_facts(db: &mut PgConnection) -> Result<i64> {
    let looks = sqlx::query_scalar(
        "select coalesce(sum(seq_scan + idx_scan), 0)::bigint from pg_stat_xact_user_tables
         where relname in ('facts', 'gathered_facts')",
    );
    Ok(looks.fetch_one(db).await?)
}

/// What this connection has not yet reported: that of the transaction, and maybe of others before it.
async fn counted(db: &mut PgConnection) -> Result<Written> {
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "select relname::text, n_tup_ins + n_tup_upd + n_tup_del, n_tup_upd from pg_stat_xact_user_tables",
    )
    .fetch_all(db)
    .await?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(table, all, anew)| (table, (all, anew)))
        .collect())
}

fn written(rows: &[(&str, i64, i64)]) -> Written {
    let rows = rows.iter();
    rows.map(|(table, all, anew)| ((*table).to_owned(), (*all, *anew)))
        .collect()
}

/// Records of partition 3, from this offset on.
fn records<M>(offset: i64, bodies: impl IntoIterator<Item = M>) -> Vec<Received<M>> {
    let places = offset..;
    let bodies = places.zip(bodies);
    bodies
        .map(|(offset, body)| testing::record(3, offset, body))
        .collect()
}

fn level(version: i64) -> StockLevelChanged {
    StockLevelChanged {
        sku: "TEA-001".to_owned(),
        available: version,
        reserved: 0,
        sold: 0,
        version,
        changed_at: now(),
    }
}
