//! What an older console has left is there for a newer one.

use anyhow::Result;
use console::store;
use sqlx::migrate::Migrator;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::support::eventually;

/// The migration since which less is written for an order.
const CHEAPER: i64 = 4;

#[sqlx::test(migrations = false)]
async fn facts_of_before_keep_their_places_and_are_the_same_when_they_come_again(
    pool: PgPool,
) -> Result<()> {
    older_tables(&pool).await?;
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    let mut older = pool.acquire().await?;
    for (partition, offset, order) in [(3, 10, first), (3, 11, second), (5, 2, first)] {
        add_fact(&mut older, partition, offset, order).await?;
    }
    drop(older);
    sqlx::migrate!().run(&pool).await?;

    let facts = store::facts_of(&pool, first).await?;
    let mut places: Vec<_> = facts.iter().map(|of| (of.partition, of.offset)).collect();
    places.sort_unstable();
    assert_eq!(places, [(3, 10), (5, 2)]);
    assert_eq!(store::news(&pool).await?, (3, 0));
    store::save_facts(&mut *pool.acquire().await?, &facts).await?;
    assert_eq!(store::facts_of(&pool, first).await?.len(), 2);
    Ok(())
}

#[sqlx::test(migrations = false)]
async fn an_older_console_that_is_writing_is_waited_for(pool: PgPool) -> Result<()> {
    older_tables(&pool).await?;
    let order = Uuid::now_v7();
    let mut older = pool.begin().await?;
    let insert = sqlx::query(
        "insert into orders (id, version, status, email, tier, total_cents, currency, changed_at)
         values ($1, 1, 'pending', 'ada@example.org', 'standard', 1, 'EUR', now())",
    );
    insert.bind(order).execute(&mut *older).await?;
    let migrating = async { anyhow::Ok(sqlx::migrate!().run(&pool).await?) };
    let writing = async {
        eventually("the migration waits for a table", async || {
            let waits: bool = sqlx::query_scalar(
                "select exists (select from pg_locks join pg_database on pg_database.oid = pg_locks.database
                                where datname = current_database() and locktype = 'relation' and not granted)",
            )
            .fetch_one(&pool)
            .await?;
            Ok(waits.then_some(()))
        })
        .await?;
        add_fact(&mut older, 3, 10, order).await?;
        anyhow::Ok(older.commit().await?)
    };
    tokio::try_join!(migrating, writing)?;
    assert_eq!(store::facts_of(&pool, order).await?.len(), 1);
    assert_eq!(store::news(&pool).await?, (1, 0));
    Ok(())
}

#[sqlx::test]
async fn an_older_console_that_goes_on_beside_a_newer_one_is_read(pool: PgPool) -> Result<()> {
    let order = Uuid::now_v7();
    add_fact(&mut *pool.acquire().await?, 3, 10, order).await?;
    let older = store::facts_of(&pool, order).await?;
    assert_eq!(older.len(), 1);
    let newer: Vec<_> = (10..13)
        .map(|offset| store::Fact {
            offset,
            ..older[0].clone()
        })
        .collect();
    store::save_facts(&mut *pool.acquire().await?, &newer).await?;
    let facts = store::facts_of(&pool, order).await?;
    let mut places: Vec<_> = facts.iter().map(|of| of.offset).collect();
    places.sort_unstable();
    assert_eq!(places, [10, 11, 12]);
    Ok(())
}

async fn older_tables(pool: &PgPool) -> Result<()> {
    let all = sqlx::migrate!();
    let before = all.iter().filter(|one| one.version < CHEAPER).cloned();
    let before = Migrator::with_migrations(before.collect());
    Ok(before.run(pool).await?)
}

async fn add_fact(db: &mut PgConnection, partition: i32, offset: i64, order: Uuid) -> Result<()> {
    let insert = sqlx::query(
        r#"insert into facts (topic, partition, "offset", type, time, recorded_at, order_id, version)
         values ('order-events', $1, $2, 'spillway.order-placed.v1', now(), now(), $3, 1)"#,
    );
    let insert = insert.bind(partition).bind(offset).bind(order);
    insert.execute(db).await?;
    Ok(())
}
