//! The SQL of the service on a real PostgreSQL; every test has a database of its own.

#![expect(clippy::expect_used, reason = "a failed test may panic")]

mod support;

use anyhow::Result;
use jiff::Timestamp;
use order::{
    domain::{Event, Outcome, Status},
    store::{self, NewOrder},
};
use sqlx::PgPool;
use support::{POT, TEA, euros, list, listing, new_order};
use uuid::Uuid;

#[sqlx::test]
async fn of_several_listings_of_one_sku_the_last_one_counts(pool: PgPool) -> Result<()> {
    list(
        &pool,
        &[listing(TEA, 100), listing(POT, 2_900), listing(TEA, 200)],
    )
    .await?;
    list(&pool, &[listing(TEA, 300), listing(TEA, 450)]).await?;

    let products = store::products(&mut *pool.acquire().await?).await?;
    let prices: Vec<_> = products
        .into_iter()
        .map(|product| (product.sku, product.price))
        .collect();
    assert_eq!(
        prices,
        [(POT.to_owned(), euros(2_900)), (TEA.to_owned(), euros(450))]
    );
    Ok(())
}

#[sqlx::test]
async fn prices_are_found_for_the_known_skus_only(pool: PgPool) -> Result<()> {
    list(&pool, &[listing(TEA, 450), listing(POT, 2_900)]).await?;
    let prices = store::prices(&mut *pool.acquire().await?, &[TEA, "NONE"]).await?;
    assert_eq!(prices.keys().collect::<Vec<_>>(), [TEA]);
    Ok(())
}

#[sqlx::test]
async fn an_order_is_read_as_it_was_written(pool: PgPool) -> Result<()> {
    let mut db = pool.acquire().await?;
    let new = new_order(None);
    let inserted = store::insert(&mut db, &[&new]).await?;
    assert!(inserted.contains(&new.order.id));
    assert_eq!(store::order(&mut db, new.order.id).await?, Some(new.order));
    assert_eq!(store::order(&mut db, Uuid::now_v7()).await?, None);
    Ok(())
}

#[sqlx::test]
async fn of_several_orders_with_one_key_one_is_inserted(pool: PgPool) -> Result<()> {
    let mut db = pool.acquire().await?;
    let (first, second, other) = (
        new_order(Some("a")),
        new_order(Some("a")),
        new_order(Some("b")),
    );
    assert_eq!(
        store::insert(&mut db, &[&first, &other, &second])
            .await?
            .len(),
        2
    );
    assert_eq!(store::insert(&mut db, &[&second]).await?.len(), 0);

    let placed = store::placed_under(&mut db, &["a", "unused"]).await?;
    let (order, hash) = &placed["a"];
    assert_eq!((order, hash.as_slice()), (&first.order, [1; 32].as_slice()));
    assert_eq!(placed.len(), 1);
    Ok(())
}

#[sqlx::test]
async fn orders_without_a_key_are_all_inserted(pool: PgPool) -> Result<()> {
    let new = [new_order(None), new_order(None)];
    let inserted = store::insert(&mut *pool.acquire().await?, &new.each_ref()).await?;
    assert_eq!(inserted.len(), 2);
    Ok(())
}

#[sqlx::test]
async fn nothing_is_learned_of_what_is_in_documents(pool: PgPool) -> Result<()> {
    let mut db = pool.acquire().await?;
    store::insert(&mut db, &[&new_order(None)]).await?;
    sqlx::query("analyze orders").execute(&mut *db).await?;
    let learned = "select attname::text from pg_stats where tablename = 'orders'";
    let learned: Vec<String> = sqlx::query_scalar(learned).fetch_all(&mut *db).await?;
    let is_learned = |column: &str| learned.iter().any(|learned| learned == column);
    assert!(is_learned("id") && is_learned("status"), "{learned:?}");
    for document in ["customer", "lines", "history"] {
        assert!(!is_learned(document), "{learned:?}");
    }
    Ok(())
}

#[sqlx::test]
async fn concurrent_transactions_that_claim_the_same_keys_do_not_deadlock(
    pool: PgPool,
) -> Result<()> {
    let insert = async |keys: Vec<String>| -> Result<usize> {
        let new: Vec<NewOrder> = keys.iter().map(|key| new_order(Some(key))).collect();
        let mut tx = pool.begin().await?;
        let inserted = store::insert(&mut tx, &new.iter().collect::<Vec<_>>()).await?;
        tx.commit().await?;
        Ok(inserted.len())
    };
    for round in 0..20 {
        let keys: Vec<String> = (0..100).map(|key| format!("{round}-{key}")).collect();
        let reversed = keys.iter().rev().cloned().collect();
        let (one, other) = tokio::join!(insert(keys), insert(reversed));
        assert_eq!(one? + other?, 100);
    }
    Ok(())
}

#[sqlx::test]
async fn a_change_is_saved_with_its_history(pool: PgPool) -> Result<()> {
    let new = [new_order(None), new_order(None), new_order(None)];
    store::insert(&mut *pool.acquire().await?, &new.each_ref()).await?;
    let [confirmed, rejected, untouched] = new.map(|new| new.order);

    let mut tx = pool.begin().await?;
    let mut orders = store::lock(&mut tx, &[rejected.id, Uuid::now_v7(), confirmed.id]).await?;
    assert_eq!(orders.len(), 2);
    for (id, event) in [
        (
            confirmed.id,
            Event::StockReserved {
                pay_by: store::now(),
            },
        ),
        (rejected.id, Event::StockRefused("none left".to_owned())),
    ] {
        let order = orders.get_mut(&id).expect("it was locked");
        assert_eq!(order.apply(event, Timestamp::now()), Outcome::Changed);
    }
    store::save(&mut tx, &orders.values().collect::<Vec<_>>()).await?;
    tx.commit().await?;

    let mut db = pool.acquire().await?;
    for order in orders.into_values() {
        assert_eq!(store::order(&mut db, order.id).await?, Some(order));
    }
    assert_eq!(store::order(&mut db, untouched.id).await?, Some(untouched));
    Ok(())
}

#[sqlx::test]
async fn pages_show_every_order_once_newest_first(pool: PgPool) -> Result<()> {
    let mut db = pool.acquire().await?;
    let new: Vec<NewOrder> = (0..7).map(|_| new_order(None)).collect();
    store::insert(&mut db, &new.iter().collect::<Vec<_>>()).await?;

    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store::page(&mut db, None, after, 3).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        seen.extend(page.into_iter().map(|order| order.id));
    }
    let mut newest_first: Vec<Uuid> = new.iter().map(|new| new.order.id).collect();
    newest_first.reverse();
    assert_eq!(seen, newest_first);
    Ok(())
}

#[sqlx::test]
async fn a_page_of_one_status_shows_no_other(pool: PgPool) -> Result<()> {
    let mut db = pool.acquire().await?;
    let new: Vec<NewOrder> = (0..4).map(|_| new_order(None)).collect();
    store::insert(&mut db, &new.iter().collect::<Vec<_>>()).await?;
    let mut cancelled = new[1].order.clone();
    cancelled.apply(Event::Cancellation, Timestamp::now());
    store::save(&mut db, &[&cancelled]).await?;

    let page = store::page(&mut db, Some(Status::Cancelled), None, 10).await?;
    assert_eq!(
        page.iter().map(|order| order.id).collect::<Vec<_>>(),
        [cancelled.id]
    );
    assert_eq!(
        store::page(&mut db, Some(Status::Pending), None, 10)
            .await?
            .len(),
        3
    );
    assert_eq!(
        store::page(&mut db, Some(Status::Paid), None, 10)
            .await?
            .len(),
        0
    );
    Ok(())
}

#[sqlx::test]
async fn the_readiness_check_knows_every_table(pool: PgPool) -> Result<()> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select tablename::text from pg_tables where schemaname = 'public' and tablename <> '_sqlx_migrations'
         order by tablename",
    )
    .fetch_all(&pool)
    .await?;
    let mut known = store::TABLES;
    known.sort_unstable();
    assert_eq!(tables, known);
    Ok(())
}
