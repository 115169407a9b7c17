use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use contracts::{Money, ProductListed};
use futures::future::{BoxFuture, FutureExt};
use sqlx::{FromRow, PgConnection, PgPool};

use crate::domain::{PriceList, Product};

#[derive(FromRow)]
struct ProductRow {
    sku: String,
    name: String,
    cents: i64,
    currency: String,
}

impl From<ProductRow> for Product {
    fn from(row: ProductRow) -> Self {
        let price = Money {
            cents: row.cents,
            currency: row.currency,
        };
        Self {
            sku: row.sku,
            name: row.name,
            price,
        }
    }
}

/// Takes over what is on sale; of several listings of one SKU the last one counts.
pub async fn upsert_products(
    db: &mut PgConnection,
    listings: impl Iterator<Item = &ProductListed>,
) -> sqlx::Result<()> {
    // One statement cannot update a row twice, and sorted keys cannot deadlock with another instance.
    let latest: BTreeMap<&str, &ProductListed> = listings
        .map(|listing| (listing.sku.as_str(), listing))
        .collect();
    let column = |of: fn(&ProductListed) -> &str| {
        latest
            .values()
            .map(|listing| of(listing))
            .collect::<Vec<_>>()
    };
    sqlx::query(
        "insert into products (sku, name, cents, currency)
         select * from unnest($1::text[], $2::text[], $3::bigint[], $4::text[])
         on conflict (sku) do update
         set name = excluded.name, cents = excluded.cents, currency = excluded.currency",
    )
    .bind(column(|listing| &listing.sku))
    .bind(column(|listing| &listing.name))
    .bind(
        latest
            .values()
            .map(|listing| listing.price.cents)
            .collect::<Vec<_>>(),
    )
    .bind(column(|listing| &listing.price.currency))
    .execute(db)
    .await?;
    Ok(())
}

/// The products of these SKUs, as far as they are known.
pub async fn prices(db: &mut PgConnection, skus: &[&str]) -> sqlx::Result<PriceList> {
    let rows: Vec<ProductRow> =
        sqlx::query_as("select sku, name, cents, currency from products where sku = any($1)")
            .bind(skus)
            .fetch_all(db)
            .await?;
    Ok(rows
        .into_iter()
        .map(Product::from)
        .map(|product| (product.sku.clone(), product))
        .collect())
}

/// The whole price list, by SKU.
pub async fn products(db: &mut PgConnection) -> sqlx::Result<Vec<Product>> {
    let rows: Vec<ProductRow> =
        sqlx::query_as("select sku, name, cents, currency from products order by sku")
            .fetch_all(db)
            .await?;
    Ok(rows.into_iter().map(Product::from).collect())
}

/// Whether anything is on sale. Without a price list every SKU would look unknown.
pub async fn has_products(db: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar("select exists (select from products)")
        .fetch_one(db)
        .await
}

/// The check behind `/health/ready`: an error until the price list has arrived for the first time. From then on
/// nobody is asked.
pub fn price_list_check(
    pool: &PgPool,
) -> impl Fn() -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync + 'static + use<> {
    let pool = pool.clone();
    let has_arrived = Arc::new(AtomicBool::new(false));
    move || price_list_is_here(pool.clone(), Arc::clone(&has_arrived)).boxed()
}

async fn price_list_is_here(pool: PgPool, has_arrived: Arc<AtomicBool>) -> anyhow::Result<()> {
    if has_arrived.load(Relaxed) {
        return Ok(());
    }
    anyhow::ensure!(
        has_products(&mut *pool.acquire().await?).await?,
        "no product is known yet"
    );
    has_arrived.store(true, Relaxed);
    Ok(())
}
