use contracts::{ProductListed, StockLevelChanged};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgPool, Row};

use super::column;

/// What is known of one product.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "as in the messages")]
pub struct Stock {
    pub sku: String,
    pub name: Option<String>,
    pub price_cents: Option<i64>,
    pub currency: Option<String>,
    pub available: Option<i64>,
    pub reserved: Option<i64>,
    pub sold: Option<i64>,
    pub version: i64,
    pub changed_at: Option<Timestamp>,
}

/// Stores stock levels, each SKU at most once in a call; an older version changes nothing.
pub async fn save_levels(db: &mut PgConnection, levels: &[&StockLevelChanged]) -> sqlx::Result<()> {
    sqlx::query(
        "insert into stock as known (sku, available, reserved, sold, version, changed_at)
         select * from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[])
         on conflict (sku) do update set
             available = excluded.available, reserved = excluded.reserved, sold = excluded.sold,
             version = excluded.version, changed_at = excluded.changed_at
         where excluded.version > known.version",
    )
    .bind(column(levels, |level| level.sku.as_str()))
    .bind(column(levels, |level| level.available))
    .bind(column(levels, |level| level.reserved))
    .bind(column(levels, |level| level.sold))
    .bind(column(levels, |level| level.version))
    .bind(column(levels, |level| level.changed_at.to_sqlx()))
    .execute(db)
    .await?;
    Ok(())
}

/// Stores the price list, each SKU at most once in a call.
pub async fn save_products(db: &mut PgConnection, products: &[&ProductListed]) -> sqlx::Result<()> {
    sqlx::query(
        "insert into stock (sku, name, price_cents, currency)
         select * from unnest($1::text[], $2::text[], $3::bigint[], $4::text[])
         on conflict (sku) do update set
             name = excluded.name, price_cents = excluded.price_cents, currency = excluded.currency",
    )
    .bind(column(products, |product| product.sku.as_str()))
    .bind(column(products, |product| product.name.as_str()))
    .bind(column(products, |product| product.price.cents))
    .bind(column(products, |product| product.price.currency.as_str()))
    .execute(db)
    .await?;
    Ok(())
}

/// All products, by SKU.
pub async fn stock(db: &PgPool) -> sqlx::Result<Vec<Stock>> {
    sqlx::query_as("select * from stock order by sku limit 1000")
        .fetch_all(db)
        .await
}

impl FromRow<'_, PgRow> for Stock {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let changed_at: Option<jiff_sqlx::Timestamp> = row.try_get("changed_at")?;
        Ok(Self {
            sku: row.try_get("sku")?,
            name: row.try_get("name")?,
            price_cents: row.try_get("price_cents")?,
            currency: row.try_get("currency")?,
            available: row.try_get("available")?,
            reserved: row.try_get("reserved")?,
            sold: row.try_get("sold")?,
            version: row.try_get("version")?,
            changed_at: changed_at.map(jiff_sqlx::Timestamp::to_jiff),
        })
    }
}
