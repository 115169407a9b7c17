use sqlx::{FromRow, PgConnection};

use crate::domain::Level;

/// The stock of one product, with the name that people know it by.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ProductLevel {
    /// Stock keeping unit.
    pub sku: String,
    /// Name of the product.
    pub name: String,
    /// Where its pieces are.
    #[sqlx(flatten)]
    pub level: Level,
}

/// All stock levels, by SKU.
pub async fn levels(db: &mut PgConnection) -> sqlx::Result<Vec<ProductLevel>> {
    sqlx::query_as(
        "select sku, name, available, reserved, sold, version
         from stock join products using (sku) order by sku",
    )
    .fetch_all(db)
    .await
}

/// The stock level of one product.
pub async fn level(db: &mut PgConnection, sku: &str) -> sqlx::Result<Option<ProductLevel>> {
    sqlx::query_as(
        "select sku, name, available, reserved, sold, version
         from stock join products using (sku) where sku = $1",
    )
    .bind(sku)
    .fetch_optional(db)
    .await
}
