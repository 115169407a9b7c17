//! What is noted of the stock.

use anyhow::{Context, Result};
use console::handlers::{RecordLevels, RecordProducts};
use console::store::{self, Stock};
use contracts::{Money, ProductListed, StockLevelChanged};
use messaging::testing;
use sqlx::PgPool;

use crate::support::samples::now;

#[sqlx::test]
async fn an_older_stock_level_changes_nothing(pool: PgPool) -> Result<()> {
    let bus = testing::bus("console", &pool).await?;
    let levels = |of: &[(i64, i64)]| {
        of.iter()
            .map(|(version, available)| level(*version, *available))
            .collect::<Vec<_>>()
    };
    for (batch, expected) in [
        (levels(&[(2, 20)]), (2, 20)),
        (levels(&[(1, 10)]), (2, 20)),
        (levels(&[(2, 99)]), (2, 20)),
        (levels(&[(3, 30), (5, 50), (4, 40)]), (5, 50)),
        (levels(&[(4, 40)]), (5, 50)),
    ] {
        testing::handle(&bus, &RecordLevels, batch).await?;
        let known = tea(&pool).await?;
        assert_eq!(
            (known.version, known.available),
            (expected.0, Some(expected.1))
        );
    }
    Ok(())
}

#[sqlx::test]
async fn a_product_has_its_level_and_its_last_name_whichever_is_read_first(
    pool: PgPool,
) -> Result<()> {
    let bus = testing::bus("console", &pool).await?;
    for name in ["Tea", "Green tea"] {
        testing::handle(&bus, &RecordLevels, [level(1, 10)]).await?;
        testing::handle(&bus, &RecordProducts, [listing("Old tea"), listing(name)]).await?;
        let known = tea(&pool).await?;
        assert_eq!(
            (known.name.as_deref(), known.price_cents),
            (Some(name), Some(450))
        );
        assert_eq!((known.version, known.available), (1, Some(10)));
    }
    Ok(())
}

fn level(version: i64, available: i64) -> StockLevelChanged {
    StockLevelChanged {
        sku: "TEA-001".to_owned(),
        available,
        reserved: 0,
        sold: 0,
        version,
        changed_at: now(),
    }
}

fn listing(name: &str) -> ProductListed {
    ProductListed {
        sku: "TEA-001".to_owned(),
        name: name.to_owned(),
        price: Money {
            cents: 450,
            currency: "EUR".to_owned(),
        },
    }
}

async fn tea(pool: &PgPool) -> Result<Stock> {
    store::stock(pool).await?.pop().context("no stock")
}
