//! What an older console has left is there for a newer one.

use anyhow::Result;
use console::store;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use uuid::Uuid;

/// The migration since which less is written for an order.
const CHEAPER: i64 = 4;

#[sqlx::test(migrations = false)]
async fn facts_of_before_keep_their_places_and_are_known_when_they_come_again(
    pool: PgPool,
) -> Result<()> {
    let all = sqlx::migrate!();
    let before = all.iter().filter(|one| one.version < CHEAPER).cloned();
    Migrator::with_migrations(before.collect())
        .run(&pool)
        .await?;
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    for (partition, offset, order) in [(3, 10_i64, first), (3, 11, second), (5, 2, first)] {
        let insert = sqlx::query(
            r#"insert into facts (topic, partition, "offset", type, time, recorded_at, order_id, version)
             values ('order-events', $1, $2, 'spillway.order-placed.v1', now(), now(), $3, 1)"#,
        );
        let insert = insert.bind(partition).bind(offset).bind(order);
        insert.execute(&pool).await?;
    }
    all.run(&pool).await?;

    let facts = store::facts_of(&pool, first).await?;
    let mut places: Vec<_> = facts.iter().map(|of| (of.partition, of.offset)).collect();
    places.sort_unstable();
    assert_eq!(places, [(3, 10), (5, 2)]);
    assert_eq!(store::news(&pool).await?, (12 + 3, 0));
    store::save_facts(&mut *pool.acquire().await?, &facts).await?;
    assert_eq!(store::facts_of(&pool, first).await?.len(), 2);
    assert_eq!(store::news(&pool).await?, (12 + 3, 0));
    Ok(())
}
