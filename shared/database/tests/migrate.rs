//! Migrations of the real PostgreSQL of `DATABASE_URL`; every test has a database of its own.

use std::borrow::Cow;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context, Result};
use database::DatabaseArgs;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool, SqlSafeStr};
use tokio::time::timeout;

/// The limits of a service, so short that every migration of these tests breaks them.
const LIMITS: [(&str, &str); 3] = [
    ("statement_timeout", "50ms"),
    ("lock_timeout", "50ms"),
    ("idle_in_transaction_session_timeout", "50ms"),
];

fn migrations(statements: &[&'static str]) -> Migrator {
    let migration = |(version, sql): (i64, &&'static str)| {
        let (name, sql) = (Cow::Borrowed("test"), (*sql).into_sql_str());
        Migration::new(version, name, MigrationType::Simple, sql, false)
    };
    Migrator::with_migrations((1..).zip(statements).map(migration).collect())
}

fn limited(pool: &PgPool) -> PgPool {
    let options = pool.connect_options().as_ref().clone().options(LIMITS);
    PgPoolOptions::new().connect_lazy_with(options)
}

#[sqlx::test(migrations = false)]
async fn an_older_program_starts_on_the_tables_of_a_newer_one(pool: PgPool) -> Result<()> {
    let (first, second) = ("create table first ()", "create table second ()");
    database::migrate(&pool, migrations(&[first, second])).await?;
    database::migrate(&pool, migrations(&[first])).await
}

#[sqlx::test(migrations = false)]
async fn a_migration_that_has_changed_is_refused(pool: PgPool) -> Result<()> {
    database::migrate(&pool, migrations(&["create table first ()"])).await?;
    let changed = migrations(&["create table other ()"]);
    assert!(database::migrate(&pool, changed).await.is_err());
    Ok(())
}

#[sqlx::test(migrations = false)]
async fn a_migration_takes_as_long_as_it_takes_and_other_instances_wait(
    pool: PgPool,
) -> Result<()> {
    let slow = ["create table slow as select 1 as one from pg_sleep(1)"];
    let instances = (0..3).map(|_| {
        let pool = limited(&pool);
        async move { database::migrate(&pool, migrations(&slow)).await }
    });
    futures::future::try_join_all(instances).await?;
    Ok(())
}

#[sqlx::test(migrations = false)]
async fn a_migration_whose_process_died_does_not_keep_the_next_from_migrating(
    pool: PgPool,
) -> Result<()> {
    sqlx::raw_sql("create table patience as select 600.0::float8 as seconds")
        .execute(&pool)
        .await?;
    let slow = ["select pg_sleep(seconds) from patience"];
    let first = tokio::spawn({
        let pool = limited(&pool);
        async move { database::migrate(&pool, migrations(&slow)).await }
    });
    let sleeps = "select exists (select from pg_stat_activity
                  where datname = current_database() and wait_event = 'PgSleep')";
    while !sqlx::query_scalar::<_, bool>(sleeps)
        .fetch_one(&pool)
        .await?
    {
        anyhow::ensure!(!first.is_finished(), "it did not wait");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    first.abort();
    sqlx::raw_sql("update patience set seconds = 0")
        .execute(&pool)
        .await?;
    let second = database::migrate(&pool, migrations(&slow));
    timeout(Duration::from_secs(60), second).await?
}

#[sqlx::test(migrations = false)]
async fn a_database_that_takes_no_writes_is_waited_for(pool: PgPool) -> Result<()> {
    let database: String = sqlx::query_scalar("select current_database()")
        .fetch_one(&pool)
        .await?;
    let read_only = |value| {
        let name = &database;
        let set = format!(r#"alter database "{name}" set default_transaction_read_only = {value}"#);
        sqlx::raw_sql(AssertSqlSafe(set)).execute(&pool)
    };
    read_only("on").await?;
    let url = std::env::var("DATABASE_URL")?;
    let (server, _) = url.rsplit_once('/').context("a path in DATABASE_URL")?;
    let args = DatabaseArgs {
        url: format!("{server}/{database}").into(),
        pool_size: 1,
    };
    // Whoever gets as far as this in the middle of it waits as well.
    let migrating = database::migrate(&pool, migrations(&["create table first ()"]));
    let mut migrating = pin!(migrating);
    let mut connecting = pin!(database::connect(&args, "read-only test"));
    let both = async { (connecting.as_mut().await, migrating.as_mut().await) };
    let mut both = pin!(both);
    let refused = timeout(Duration::from_secs(1), &mut both).await;
    assert!(refused.is_err(), "nobody waited");
    read_only("off").await?;
    let (connected, migrated) = timeout(Duration::from_secs(60), both).await?;
    migrated?;
    sqlx::query("select from first")
        .execute(&connected?)
        .await?;
    Ok(())
}
