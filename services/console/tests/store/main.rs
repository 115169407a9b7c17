//! The SQL of the service on a real PostgreSQL; every test has a database of its own.

mod facts;
mod flows;
mod migrations;
mod orders;
mod spans;
#[path = "../support/mod.rs"]
mod support;

use anyhow::Result;
use console::store;
use sqlx::PgPool;

#[sqlx::test]
async fn the_readiness_check_knows_every_table(pool: PgPool) -> Result<()> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select tablename::text from pg_tables where schemaname = 'public' and tablename <> '_sqlx_migrations'
         order by tablename",
    )
    .fetch_all(&pool)
    .await?;
    let mut known = store::TABLES;
    known.sort_unstable();
    assert_eq!(tables, known);
    Ok(())
}
