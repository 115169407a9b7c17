//! What the SQL decides, each test in a database of its own.

mod races;

use anyhow::Result;
use contracts::{Line, ReleaseStock, ReserveStock, SellStock, StockCommand};
use inventory::domain::{Decision, order_of};
use inventory::store::{self, Restock};
use sqlx::PgPool;
use uuid::Uuid;

#[sqlx::test]
async fn twelve_products_are_on_sale_and_one_is_scarce(pool: PgPool) -> Result<()> {
    let levels = store::levels(&mut *pool.acquire().await?).await?;
    assert_eq!(levels.len(), 12);
    let scarce: Vec<_> = levels
        .iter()
        .filter(|product| product.level.available < 10)
        .collect();
    assert_eq!(scarce.len(), 1);
    assert_eq!(
        (scarce[0].sku.as_str(), scarce[0].level.available),
        ("GATE-WHEEL", 3)
    );
    Ok(())
}

#[sqlx::test]
async fn an_unknown_sku_has_no_level(pool: PgPool) -> Result<()> {
    let mut db = pool.acquire().await?;
    assert_eq!(store::level(&mut db, "NONE").await?, None);
    assert!(store::lock_levels(&mut db, &["NONE"]).await?.is_empty());
    Ok(())
}

#[sqlx::test]
async fn nothing_is_learned_of_what_is_in_documents(pool: PgPool) -> Result<()> {
    transact(&pool, &[reserve(Uuid::now_v7(), 2)]).await?;
    sqlx::query("analyze reservations").execute(&pool).await?;
    let learned = "select attname::text from pg_stats where tablename = 'reservations'";
    let learned: Vec<String> = sqlx::query_scalar(learned).fetch_all(&pool).await?;
    let is_learned = |column: &str| learned.iter().any(|learned| learned == column);
    assert!(
        is_learned("order_id") && !is_learned("lines"),
        "{learned:?}"
    );
    Ok(())
}

#[sqlx::test]
async fn a_reservation_moves_pieces_and_stays_what_it_is(pool: PgPool) -> Result<()> {
    let order = Uuid::now_v7();
    assert_eq!(
        transact(&pool, &[reserve(order, 2)]).await?,
        [Decision::Reserved]
    );
    assert_eq!(pieces(&pool).await?, (1, 2, 0, 2));
    assert_eq!(
        transact(&pool, &[reserve(order, 1)]).await?,
        [Decision::ReservedBefore]
    );
    assert_eq!(pieces(&pool).await?, (1, 2, 0, 2));
    Ok(())
}

#[sqlx::test]
async fn a_refusal_is_repeated_with_the_reason_that_it_had(pool: PgPool) -> Result<()> {
    let order = Uuid::now_v7();
    let refused = transact(&pool, &[reserve(order, 4)]).await?;
    let reason = "4 pieces of GATE-WHEEL are wanted, 3 are available".to_owned();
    assert_eq!(refused, [Decision::Refused(reason.clone())]);
    // There is enough by now, and still it is the same answer.
    restock(&pool, None, 5).await?;
    assert_eq!(
        transact(&pool, &[reserve(order, 4)]).await?,
        [Decision::RefusedBefore(reason)]
    );
    assert_eq!(pieces(&pool).await?, (8, 0, 0, 2));
    Ok(())
}

#[sqlx::test]
async fn a_reservation_is_released_or_sold_by_a_later_transaction(pool: PgPool) -> Result<()> {
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    transact(&pool, &[reserve(first, 2), reserve(second, 1)]).await?;
    let decisions = transact(&pool, &[release(first), sell(second)]).await?;
    assert_eq!(decisions, [Decision::Released, Decision::Sold]);
    assert_eq!(pieces(&pool).await?, (2, 0, 1, 3));
    Ok(())
}

#[sqlx::test]
async fn the_stock_of_what_is_set_aside_is_locked_with_its_reservation(pool: PgPool) -> Result<()> {
    let order = Uuid::now_v7();
    transact(&pool, &[reserve(order, 2)]).await?;
    let mut tx = pool.begin().await?;
    // Nobody names the product, so that its level is known from the reservation alone.
    let mut stock = store::lock(&mut tx, &[order, Uuid::now_v7()], &["NONE"]).await?;
    assert_eq!(stock.decide(&release(order)), Decision::Released);
    store::save(&mut tx, &stock).await?;
    tx.commit().await?;
    assert_eq!(pieces(&pool).await?, (3, 0, 0, 3));
    Ok(())
}

#[sqlx::test]
async fn a_release_in_advance_is_remembered(pool: PgPool) -> Result<()> {
    let order = Uuid::now_v7();
    transact(&pool, &[release(order)]).await?;
    let decisions = transact(&pool, &[reserve(order, 1)]).await?;
    assert!(matches!(decisions[..], [Decision::Refused(_)]));
    assert_eq!(pieces(&pool).await?, (3, 0, 0, 1));
    Ok(())
}

#[sqlx::test]
async fn commands_with_names_that_no_database_can_store_are_refused(pool: PgPool) -> Result<()> {
    let lines = vec![Line {
        sku: "A\0B".to_owned(),
        quantity: 1,
    }];
    let command = ReserveStock {
        order_id: Uuid::now_v7(),
        lines,
    }
    .into();
    let decisions = transact(&pool, &[command]).await?;
    assert!(matches!(decisions[..], [Decision::Refused(_)]));
    Ok(())
}

#[sqlx::test]
async fn the_database_refuses_books_that_do_not_add_up(pool: PgPool) -> Result<()> {
    let lost = sqlx::query("update stock set available = available - 1")
        .execute(&pool)
        .await;
    assert!(lost.is_err_and(|error| error.to_string().contains("no_piece_is_lost")));
    let negative = sqlx::query("update stock set available = -1, reserved = initial + 1")
        .execute(&pool)
        .await;
    assert!(negative.is_err_and(|error| error.to_string().contains("stock_available_check")));
    Ok(())
}

#[sqlx::test]
async fn one_idempotency_key_is_one_delivery(pool: PgPool) -> Result<()> {
    assert_eq!(restock(&pool, Some("monday"), 5).await?, None);
    assert_eq!(pieces(&pool).await?, (8, 0, 0, 2));
    let earlier = restock(&pool, Some("monday"), 7).await?;
    let earlier = earlier.map(|earlier| {
        (
            earlier.quantity,
            earlier.level.available,
            earlier.level.version,
        )
    });
    assert_eq!(earlier, Some((5, 8, 2)));
    assert_eq!(restock(&pool, None, 1).await?, None);
    assert_eq!(restock(&pool, None, 1).await?, None);
    assert_eq!(pieces(&pool).await?, (10, 0, 0, 4));
    Ok(())
}

/// What the handler does with a batch, without the answers.
async fn transact(pool: &PgPool, batch: &[StockCommand]) -> Result<Vec<Decision>> {
    let mut tx = pool.begin().await?;
    let order_ids: Vec<_> = batch.iter().map(order_of).collect();
    let mut stock = store::lock(&mut tx, &order_ids, &["GATE-WHEEL"]).await?;
    let decisions = batch.iter().map(|command| stock.decide(command)).collect();
    store::save(&mut tx, &stock).await?;
    tx.commit().await?;
    Ok(decisions)
}

async fn restock(pool: &PgPool, key: Option<&str>, quantity: i64) -> Result<Option<Restock>> {
    let mut tx = pool.begin().await?;
    let levels = store::lock_levels(&mut tx, &["GATE-WHEEL"]).await?;
    let level = levels["GATE-WHEEL"].restocked(quantity);
    let new = Restock {
        sku: "GATE-WHEEL".to_owned(),
        quantity,
        level,
    };
    let earlier = store::restock(&mut tx, key, &new).await?;
    tx.commit().await?;
    Ok(earlier)
}

/// Available, reserved, sold and version of the scarce product.
async fn pieces(pool: &PgPool) -> Result<(i64, i64, i64, i64)> {
    let product = store::level(&mut *pool.acquire().await?, "GATE-WHEEL").await?;
    let level = product
        .ok_or_else(|| anyhow::anyhow!("the product is gone"))?
        .level;
    Ok((level.available, level.reserved, level.sold, level.version))
}

fn reserve(order_id: Uuid, quantity: i64) -> StockCommand {
    let lines = vec![Line {
        sku: "GATE-WHEEL".to_owned(),
        quantity,
    }];
    ReserveStock { order_id, lines }.into()
}

fn release(order_id: Uuid) -> StockCommand {
    ReleaseStock { order_id }.into()
}

fn sell(order_id: Uuid) -> StockCommand {
    SellStock { order_id }.into()
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
