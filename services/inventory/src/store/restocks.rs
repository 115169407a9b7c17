use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::Level;

/// A delivery that was booked under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Restock {
    /// What was delivered.
    pub sku: String,
    /// Number of pieces.
    pub quantity: i64,
    /// The level after it.
    #[sqlx(flatten)]
    pub level: Level,
}

/// Books a delivery, whose stock row the caller has locked, unless the idempotency key was used
/// before: then that earlier delivery is the answer and nothing is booked.
pub async fn restock(
    db: &mut PgConnection,
    idempotency_key: Option<&str>,
    new: &Restock,
) -> sqlx::Result<Option<Restock>> {
    // The key may be forgotten in between, and then it is free.
    while !insert(db, idempotency_key, new).await? {
        let earlier = booked_under(db, idempotency_key).await?;
        if earlier.is_some() {
            return Ok(earlier);
        }
    }
    sqlx::query(
        "update stock set available = $2, restocked = restocked + $3, version = $4 where sku = $1",
    )
    .bind(&new.sku)
    .bind(new.level.available)
    .bind(new.quantity)
    .bind(new.level.version)
    .execute(db)
    .await?;
    Ok(None)
}

/// Inserts a delivery unless its key is used.
async fn insert(
    db: &mut PgConnection,
    idempotency_key: Option<&str>,
    new: &Restock,
) -> sqlx::Result<bool> {
    let Restock {
        sku,
        quantity,
        level,
    } = new;
    // Waits for another transaction that has just used the same key.
    let inserted = sqlx::query(
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
    .execute(db)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

async fn booked_under(
    db: &mut PgConnection,
    idempotency_key: Option<&str>,
) -> sqlx::Result<Option<Restock>> {
    sqlx::query_as(
        "select sku, quantity, available, reserved, sold, version from restocks
         where idempotency_key = $1",
    )
    .bind(idempotency_key)
    .fetch_optional(db)
    .await
}
