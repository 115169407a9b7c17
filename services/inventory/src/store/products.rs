use contracts::{Money, ProductListed};
use sqlx::{FromRow, PgConnection};

use crate::domain::Level;

/// The products that were never announced, with their levels; from now on they count as announced.
///
/// Of several instances that ask at the same time, one gets them.
pub async fn take_unannounced(db: &mut PgConnection) -> sqlx::Result<Vec<(ProductListed, Level)>> {
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
