//! What makes a database unusable, on the real PostgreSQL of `DATABASE_URL`.

use anyhow::{Context, Result};
use database::{check, check_tables};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};

/// The pool with another setting on each connection.
fn with(pool: &PgPool, setting: &str, value: &str) -> PgPool {
    let options = pool.connect_options().as_ref().clone();
    PgPoolOptions::new().connect_lazy_with(options.options([(setting, value)]))
}

async fn complaint(pool: &PgPool, tables: &[&'static str]) -> Result<String> {
    let checked = check_tables(pool, tables.to_vec())().await;
    Ok(checked.err().context("it is usable")?.to_string())
}

#[sqlx::test(migrations = false)]
async fn a_read_only_database_is_not_usable(pool: PgPool) -> Result<()> {
    check(&pool)().await?;
    let read_only = with(&pool, "default_transaction_read_only", "on");
    let complaint = complaint(&read_only, &[]).await?;
    assert_eq!(complaint, "the database is read-only");
    Ok(())
}

#[sqlx::test(migrations = false)]
async fn a_database_without_a_table_is_not_usable(pool: PgPool) -> Result<()> {
    sqlx::raw_sql("create table here ()").execute(&pool).await?;
    check_tables(&pool, vec!["here"])().await?;
    let complaint = complaint(&pool, &["here", "messaging.gone"]).await?;
    assert_eq!(complaint, "tables are missing: messaging.gone");
    Ok(())
}

#[sqlx::test(migrations = false)]
async fn a_database_that_refuses_a_right_is_not_usable(pool: PgPool) -> Result<()> {
    let role: String = sqlx::query_scalar(
        "select 'checked_' || oid from pg_database where datname = current_database()",
    )
    .fetch_one(&pool)
    .await?;
    let run = async |statements: String| {
        sqlx::raw_sql(AssertSqlSafe(statements))
            .execute(&pool)
            .await
    };
    run(format!(
        "create table here (); create role {role}; grant select, insert, update on here to {role}"
    ))
    .await?;
    let complaint = complaint(&with(&pool, "role", &role), &["here"]).await;
    run(format!("drop owned by {role}; drop role {role}")).await?;
    assert_eq!(complaint?, "no right to use tables: here");
    Ok(())
}
