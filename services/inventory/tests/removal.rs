//! What becomes of reservations and keys that are old.

use std::time::Duration;

use anyhow::{Result, ensure};
use contracts::{Line, ReleaseStock, ReserveStock, SellStock, StockCommand};
use inventory::domain::Decision;
use inventory::handlers::DecideAboutStock;
use inventory::store::{self, Restock};
use jiff::Timestamp;
use messaging::testing::{self, buffers};
use messaging::{Bus, OldRows, RemoveOld};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const KEPT: Duration = days(30);
const SKU: &str = "LAMP-HEAD";

/// Buffers for one portion.
const LIMIT: i64 = 3_000;
const ROWS: i32 = 300_000;

#[sqlx::test]
async fn old_reservations_are_removed_whose_pieces_are_not_set_aside(pool: PgPool) -> Result<()> {
    let bus = testing::bus("inventory", &pool).await?;
    let [sold, kept, released] = [(); 3].map(|()| Uuid::now_v7());
    let commands = [reserve(sold), reserve(kept), reserve(released)];
    handle(&bus, commands).await?;
    handle(&bus, [sell(sold), release(released)]).await?;

    let now = Timestamp::now();
    assert_eq!(remove(&bus, now + days(29)).await?, 0);
    assert_eq!(remove(&bus, now + days(31)).await?, 2);
    let left: Vec<Uuid> = sqlx::query_scalar("select order_id from reservations")
        .fetch_all(&pool)
        .await?;
    assert_eq!(left, [kept]);
    // It is as good as before.
    handle(&bus, [sell(kept)]).await?;
    assert_eq!(pieces(&pool).await?, (0, 2));
    Ok(())
}

#[sqlx::test]
async fn a_late_command_about_an_order_that_was_removed_moves_no_stock(pool: PgPool) -> Result<()> {
    let bus = testing::bus("inventory", &pool).await?;
    let (sold, released) = (Uuid::now_v7(), Uuid::now_v7());
    handle(&bus, [reserve(sold), reserve(released)]).await?;
    handle(&bus, [sell(sold), release(released)]).await?;
    assert_eq!(remove(&bus, Timestamp::now() + days(31)).await?, 2);

    for late in [
        sell(sold),
        release(released),
        reserve(released),
        reserve(sold),
    ] {
        handle(&bus, [late]).await?;
    }
    assert_eq!(pieces(&pool).await?, (0, 1));
    // Who asks is answered all the same.
    let refused =
        "select count(*) from messaging.outbox where message_type = 'spillway.stock-refused.v1'";
    let refused: i64 = sqlx::query_scalar(refused).fetch_one(&pool).await?;
    assert_eq!(refused, 2);

    // A younger order is served as ever.
    handle(&bus, [reserve(Uuid::now_v7())]).await?;
    assert_eq!(pieces(&pool).await?, (1, 1));
    Ok(())
}

#[sqlx::test]
async fn what_is_removed_while_it_is_asked_for_is_not_reserved_again(pool: PgPool) -> Result<()> {
    let bus = testing::bus("inventory", &pool).await?;
    let order_id = Uuid::now_v7();
    let mut late = pool.begin().await?;
    let mut stock = store::lock(&mut late, &[order_id], &[SKU]).await?;
    // The reservation that was not found was there before, and went.
    let sold =
        "insert into reservations (order_id, status, lines, version) values ($1, 'sold', '[]', 2)";
    sqlx::query(sold).bind(order_id).execute(&pool).await?;
    assert_eq!(remove(&bus, Timestamp::now() + days(31)).await?, 1);
    assert_eq!(stock.decide(&reserve(order_id)), Decision::Reserved);
    assert!(store::save(&mut late, &stock).await.is_err());
    late.rollback().await?;

    // The next attempt knows of it.
    handle(&bus, [reserve(order_id)]).await?;
    assert_eq!(pieces(&pool).await?, (0, 0));
    Ok(())
}

#[sqlx::test]
async fn a_delivery_whose_key_is_forgotten_while_it_comes_again_is_booked(
    pool: PgPool,
) -> Result<()> {
    assert!(restock(&pool).await?.is_none());
    // Just after the key was found to be used.
    sqlx::raw_sql(
        "create function forget_key() returns trigger language plpgsql as
             'begin update restocks set idempotency_key = null; return null; end';
         create trigger forget_key after insert on restocks execute function forget_key()",
    )
    .execute(&pool)
    .await?;
    assert!(restock(&pool).await?.is_none());
    let restocked: i64 = sqlx::query_scalar("select restocked from stock where sku = $1")
        .bind(SKU)
        .fetch_one(&pool)
        .await?;
    assert_eq!(restocked, 10);
    Ok(())
}

#[sqlx::test]
async fn an_old_key_of_a_delivery_is_forgotten_and_the_delivery_stays(pool: PgPool) -> Result<()> {
    let bus = testing::bus("inventory", &pool).await?;
    assert!(restock(&pool).await?.is_none());
    assert!(restock(&pool).await?.is_some());
    let keys = bus.removal("keys", Some(KEPT), store::forget_old_keys);
    let (now, token) = (Timestamp::now(), CancellationToken::new());
    assert_eq!(keys.remove(now + days(29), &token).await?, 0);
    assert_eq!(keys.remove(now + days(31), &token).await?, 1);
    assert!(restock(&pool).await?.is_none());
    let deliveries: i64 = sqlx::query_scalar("select count(*) from restocks")
        .fetch_one(&pool)
        .await?;
    assert_eq!(deliveries, 2);
    Ok(())
}

#[sqlx::test]
async fn a_portion_costs_the_same_wherever_it_is_in_a_large_table(pool: PgPool) -> Result<()> {
    messaging::migrate(&pool).await?;
    sqlx::query(
        "insert into reservations (order_id, status, lines, version)
         select (lpad(to_hex(1700000000000 + n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
                'sold', '[{\"sku\": \"LAMP-HEAD\", \"quantity\": 1}]', 2
         from generate_series(1, $1) n",
    )
    .bind(ROWS)
    .execute(&pool)
    .await?;
    sqlx::raw_sql("analyze reservations").execute(&pool).await?;
    let pages = sqlx::query_scalar("select pg_relation_size('reservations') / 8192");
    let pages: i64 = pages.fetch_one(&pool).await?;
    ensure!(pages > LIMIT, "a table of {pages} pages shows nothing");

    let middle =
        sqlx::query_scalar("select order_id from reservations order by order_id offset $1 limit 1");
    let middle: Uuid = middle.bind(ROWS / 2).fetch_one(&pool).await?;
    let mut db = pool.acquire().await?;
    for after in [Uuid::nil(), middle] {
        let old = OldRows::behind(after, Timestamp::now(), KEPT);
        let remove_old: RemoveOld = store::remove_old_reservations;
        let portion = buffers::statement(remove_old(&old))?;
        let of_kept_plan = buffers::of_kept_plan(&mut db, portion.clone()).await?;
        let buffers = buffers::of(&mut db, portion).await?;
        println!("behind {after}: {buffers}, {of_kept_plan} buffers");
        // It has to have something to do.
        assert!((200..=LIMIT).contains(&buffers), "{buffers}");
        assert!(of_kept_plan <= LIMIT, "{of_kept_plan}");
    }
    Ok(())
}

async fn remove(bus: &Bus, now: Timestamp) -> Result<i64> {
    let remove_old = store::remove_old_reservations;
    let reservations = bus.removal("reservations", Some(KEPT), remove_old);
    Ok(reservations.remove(now, &CancellationToken::new()).await?)
}

async fn handle<const N: usize>(bus: &Bus, commands: [StockCommand; N]) -> Result<()> {
    testing::handle(bus, &DecideAboutStock, commands).await
}

/// How many pieces are reserved, and how many are sold.
async fn pieces(pool: &PgPool) -> Result<(i64, i64)> {
    Ok(
        sqlx::query_as("select reserved, sold from stock where sku = $1")
            .bind(SKU)
            .fetch_one(pool)
            .await?,
    )
}

/// Books a delivery under one key; answers the earlier one if there was one.
async fn restock(pool: &PgPool) -> Result<Option<Restock>> {
    let mut tx = pool.begin().await?;
    let levels = store::lock_levels(&mut tx, &[SKU]).await?;
    let level = levels[SKU].restocked(5);
    let new = Restock {
        sku: SKU.to_owned(),
        quantity: 5,
        level,
    };
    let earlier = store::restock(&mut tx, Some("key"), &new).await?;
    tx.commit().await?;
    Ok(earlier)
}

fn reserve(order_id: Uuid) -> StockCommand {
    let lines = vec![Line {
        sku: SKU.to_owned(),
        quantity: 1,
    }];
    ReserveStock { order_id, lines }.into()
}

fn release(order_id: Uuid) -> StockCommand {
    ReleaseStock { order_id }.into()
}

fn sell(order_id: Uuid) -> StockCommand {
    SellStock { order_id }.into()
}

const fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 3600)
}
