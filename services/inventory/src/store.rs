//! The SQL of the service. Every function runs in the caller's transaction.
//!
//! Rows are always locked in the same order, so that no two transactions wait for each other:
//! reservations by id first, then stock by SKU.

use std::collections::BTreeMap;

use anyhow::Context;
use contracts::{Line, Money, ProductListed};
use serde::Serialize;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::{Level, Reservation, Status, Stock};

/// Every table of the service: without one of them it is not ready.
pub const TABLES: [&str; 4] = ["products", "stock", "reservations", "restocks"];

/// The stock of one product, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow, ToSchema)]
pub struct StockLevel {
    /// Stock keeping unit.
    pub sku: String,
    /// Name of the product.
    pub name: String,
    /// Pieces that can be reserved.
    pub available: i64,
    /// Pieces set aside for orders that are not paid.
    pub reserved: i64,
    /// Pieces that were paid.
    pub sold: i64,
    /// Rises with every change.
    pub version: i64,
}

impl StockLevel {
    /// The same product at another level.
    #[must_use]
    pub fn at(self, level: Level) -> Self {
        let Level {
            available,
            reserved,
            sold,
            version,
        } = level;
        Self {
            available,
            reserved,
            sold,
            version,
            ..self
        }
    }
}

/// A delivery that was booked under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Restock {
    /// What was delivered.
    pub sku: String,
    /// So many pieces.
    pub quantity: i64,
    /// The level after it.
    #[sqlx(flatten)]
    pub level: Level,
}

/// All stock levels, by SKU.
pub async fn levels(db: &mut PgConnection) -> sqlx::Result<Vec<StockLevel>> {
    sqlx::query_as(
        "select sku, name, available, reserved, sold, version
         from stock join products using (sku) order by sku",
    )
    .fetch_all(db)
    .await
}

/// The stock level of one product.
pub async fn level(db: &mut PgConnection, sku: &str) -> sqlx::Result<Option<StockLevel>> {
    sqlx::query_as(
        "select sku, name, available, reserved, sold, version
         from stock join products using (sku) where sku = $1",
    )
    .bind(sku)
    .fetch_optional(db)
    .await
}

/// Locks what was decided for these orders before.
pub async fn lock_reservations(
    db: &mut PgConnection,
    order_ids: &[Uuid],
) -> anyhow::Result<BTreeMap<Uuid, Reservation>> {
    let rows: Vec<(Uuid, String, Json<Vec<Line>>, i32)> = sqlx::query_as(
        "select order_id, status, lines, version from reservations
         where order_id = any($1) order by order_id for update",
    )
    .bind(order_ids)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(order_id, status, Json(lines), version)| {
            let status = Status::from_name(&status).context("unknown status of a reservation")?;
            Ok((
                order_id,
                Reservation {
                    status,
                    lines,
                    version,
                },
            ))
        })
        .collect()
}

/// Locks the stock of these products. Those that do not exist are not in the answer.
pub async fn lock_levels(
    db: &mut PgConnection,
    skus: &[&str],
) -> sqlx::Result<BTreeMap<String, Level>> {
    #[derive(FromRow)]
    struct Row {
        sku: String,
        #[sqlx(flatten)]
        level: Level,
    }
    let rows: Vec<Row> = sqlx::query_as(
        "select sku, available, reserved, sold, version from stock
         where sku = any($1) order by sku for update",
    )
    .bind(skus)
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.sku, row.level)).collect())
}

/// Writes what changed since the rows were locked, in one statement.
///
/// # Errors
///
/// Also when another transaction decided about one of the orders for the first time meanwhile; it
/// had no row that could have been locked. Trying again finds that row.
pub async fn save(db: &mut PgConnection, stock: &Stock) -> anyhow::Result<()> {
    let reservations: Vec<_> = stock.changed_reservations().collect();
    let levels: Vec<_> = stock.changed_levels().collect();
    let written = sqlx::query(
        "with levels as (
             update stock set available = new.available, reserved = new.reserved, sold = new.sold,
                              version = new.version
             from unnest($5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
                  as new (sku, available, reserved, sold, version)
             where stock.sku = new.sku
         )
         insert into reservations (order_id, status, lines, version)
         select * from unnest($1::uuid[], $2::text[], $3::jsonb[], $4::int[])
         on conflict (order_id) do update set status = excluded.status, version = excluded.version
         where reservations.version = excluded.version - 1",
    )
    .bind(column(&reservations, |(id, _)| **id))
    .bind(column(&reservations, |(_, r)| r.status.as_str()))
    .bind(column(&reservations, |(_, r)| Json(&r.lines)))
    .bind(column(&reservations, |(_, r)| r.version))
    .bind(column(&levels, |(sku, _)| sku.as_str()))
    .bind(column(&levels, |(_, level)| level.available))
    .bind(column(&levels, |(_, level)| level.reserved))
    .bind(column(&levels, |(_, level)| level.sold))
    .bind(column(&levels, |(_, level)| level.version))
    .execute(db)
    .await?;
    anyhow::ensure!(
        written.rows_affected() == reservations.len() as u64,
        "another instance decided about one of the orders at the same time"
    );
    Ok(())
}

fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// Books a delivery, whose stock row the caller has locked, unless the idempotency key was used
/// before: then that earlier delivery is the answer and nothing is booked.
pub async fn restock(
    db: &mut PgConnection,
    idempotency_key: Option<&str>,
    new: &Restock,
) -> sqlx::Result<Option<Restock>> {
    let Restock {
        sku,
        quantity,
        level,
    } = new;
    // Waits for another transaction that has just used the same key.
    let booked = sqlx::query(
        "insert into restocks (id, idempotency_key, sku, quantity, available, reserved, sold, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (idempotency_key) do nothing",
    )
    .bind(Uuid::now_v7())
    .bind(idempotency_key)
    .bind(sku)
    .bind(quantity)
    .bind(level.available)
    .bind(level.reserved)
    .bind(level.sold)
    .bind(level.version)
    .execute(&mut *db)
    .await?;
    if booked.rows_affected() == 0 {
        return sqlx::query_as(
            "select sku, quantity, available, reserved, sold, version from restocks
             where idempotency_key = $1",
        )
        .bind(idempotency_key)
        .fetch_optional(db)
        .await;
    }
    sqlx::query(
        "update stock set available = $2, restocked = restocked + $3, version = $4 where sku = $1",
    )
    .bind(sku)
    .bind(level.available)
    .bind(quantity)
    .bind(level.version)
    .execute(db)
    .await?;
    Ok(None)
}

/// The products that were never announced, with their levels; from now on they count as announced.
///
/// Of several instances that ask at the same time, one gets them.
pub async fn announce(db: &mut PgConnection) -> sqlx::Result<Vec<(ProductListed, Level)>> {
    #[derive(FromRow)]
    struct Row {
        sku: String,
        name: String,
        price_cents: i64,
        currency: String,
        #[sqlx(flatten)]
        level: Level,
    }
    let rows: Vec<Row> = sqlx::query_as(
        "select sku, name, price_cents, currency, available, reserved, sold, version
         from products join stock using (sku)
         where announced_at is null order by sku for update",
    )
    .fetch_all(&mut *db)
    .await?;
    sqlx::query("update products set announced_at = now() where sku = any($1)")
        .bind(rows.iter().map(|row| row.sku.as_str()).collect::<Vec<_>>())
        .execute(db)
        .await?;
    let product = |row: Row| {
        let price = Money {
            cents: row.price_cents,
            currency: row.currency,
        };
        (
            ProductListed {
                sku: row.sku,
                name: row.name,
                price,
            },
            row.level,
        )
    };
    Ok(rows.into_iter().map(product).collect())
}
