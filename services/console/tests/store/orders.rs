//! Orders, and what they have in common.

use anyhow::Result;
use console::store::{self, Filter, Order};
use jiff::SignedDuration;
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::samples::{now, order};

#[sqlx::test]
async fn an_order_is_read_as_it_was_written(pool: PgPool) -> Result<()> {
    let decided = Order {
        decided_at: Some(now()),
        placed_at: None,
        ..order()
    };
    save(&pool, std::slice::from_ref(&decided)).await?;
    assert_eq!(store::order(&pool, decided.id).await?, Some(decided));
    assert_eq!(store::order(&pool, Uuid::now_v7()).await?, None);
    Ok(())
}

#[sqlx::test]
async fn orders_are_found_by_the_beginning_of_an_address_whatever_is_in_it(
    pool: PgPool,
) -> Result<()> {
    let emails = [
        "ada@example.org",
        "ada.b@example.org",
        "adam@example.org",
        "ad%@example.org",
        "Ada@example.org",
        "äda@example.org",
        "ad_a@example.org",
    ];
    let orders: Vec<_> = emails
        .iter()
        .map(|email| Order {
            email: (*email).to_owned(),
            ..order()
        })
        .collect();
    save(&pool, &orders).await?;
    for (beginning, expected) in [
        (
            "ada",
            vec!["adam@example.org", "ada.b@example.org", "ada@example.org"],
        ),
        ("ada@", vec!["ada@example.org"]),
        ("ada@example.org", vec!["ada@example.org"]),
        ("ad%", vec!["ad%@example.org"]),
        ("ad_", vec!["ad_a@example.org"]),
        ("ä", vec!["äda@example.org"]),
        ("\u{10ffff}", vec![]),
        ("example", vec![]),
    ] {
        let filter = Filter {
            email: Some(beginning.to_owned()),
            limit: 100,
            ..Filter::default()
        };
        let found = store::orders(&pool, &filter).await?;
        let found: Vec<_> = found.iter().map(|order| order.email.as_str()).collect();
        assert_eq!(found, expected, "{beginning}");
    }
    Ok(())
}

#[sqlx::test]
async fn orders_are_counted_to_ten_thousand(pool: PgPool) -> Result<()> {
    fill(&pool, "pending", 10_500).await?;
    fill(&pool, "paid", 10_000).await?;
    fill(&pool, "rejected", 3).await?;
    let figures = store::figures(&pool).await?;
    assert_eq!((figures.pending, figures.paid), (10_001, 10_000));
    assert_eq!(
        (figures.rejected, figures.confirmed, figures.cancelled),
        (3, 0, 0)
    );
    let first: Option<Uuid> =
        sqlx::query_scalar("select min(id::text)::uuid from orders where status = 'pending'")
            .fetch_one(&pool)
            .await?;
    assert_eq!(figures.oldest_pending, first);
    Ok(())
}

#[sqlx::test]
async fn the_time_to_a_decision_is_that_of_the_last_seconds(pool: PgPool) -> Result<()> {
    let now = now();
    let decided = |milliseconds: i64, ago: i64| {
        let at = now - SignedDuration::from_secs(ago);
        Order {
            placed_at: Some(at - SignedDuration::from_millis(milliseconds)),
            decided_at: Some(at),
            ..order()
        }
    };
    let mut orders: Vec<_> = (1..=10).map(|n| decided(n * 100, 0)).collect();
    orders.extend((0..10).map(|_| decided(60_000, 3_600)));
    // When it was placed is not known.
    orders.push(Order {
        placed_at: None,
        ..decided(1, 0)
    });
    save(&pool, &orders).await?;
    let figures = store::figures(&pool).await?;
    assert_eq!(figures.decided_per_s, 11.0 / 5.0);
    assert_eq!((figures.p50_ms, figures.p99_ms), (Some(550.0), Some(991.0)));
    Ok(())
}

#[sqlx::test]
async fn without_orders_there_is_nothing_to_measure(pool: PgPool) -> Result<()> {
    let figures = store::figures(&pool).await?;
    assert_eq!((figures.placed_per_s, figures.decided_per_s), (0.0, 0.0));
    assert_eq!(
        (figures.p50_ms, figures.p99_ms, figures.oldest_pending),
        (None, None, None)
    );
    assert_eq!(store::news(&pool).await?, (0, 0));
    Ok(())
}

async fn save(pool: &PgPool, orders: &[Order]) -> Result<()> {
    Ok(store::save_orders(&mut *pool.acquire().await?, orders).await?)
}

async fn fill(pool: &PgPool, status: &str, count: i32) -> Result<()> {
    let insert = "insert into orders (id, version, status, email, tier, total_cents, currency, changed_at)
         select gen_random_uuid(), 1, $1, 'ada@example.org', 'standard', 1, 'EUR', now() from generate_series(1, $2)";
    sqlx::query(insert)
        .bind(status)
        .bind(count)
        .execute(pool)
        .await?;
    Ok(())
}
