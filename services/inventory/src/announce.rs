//! The products as others learn of them.

use anyhow::Context;
use messaging::{Bus, Cause};
use tracing::info;

use crate::handlers::level_changed;
use crate::store;

/// Publishes every product that was never published, with its stock level.
///
/// # Errors
///
/// When the database cannot be reached; nothing is published then.
pub async fn announce_products(bus: &Bus) -> anyhow::Result<()> {
    let mut tx = bus
        .begin()
        .await
        .context("the products could not be announced")?;
    let products = store::take_unannounced(&mut tx).await?;
    for (product, level) in &products {
        tx.publish(&Cause::none(), product);
        tx.publish(&Cause::none(), &level_changed(&product.sku, level));
    }
    tx.commit().await?;
    if !products.is_empty() {
        info!(count = products.len(), "announced new products");
    }
    Ok(())
}
