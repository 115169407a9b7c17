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
