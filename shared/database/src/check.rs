use anyhow::ensure;
use futures::future::{BoxFuture, FutureExt};
use sqlx::PgPool;

/// The check behind `/health/ready`: fails when the pool gives no connection in time, or when the
/// server does not answer on it or takes no writes.
pub fn check(
    pool: &PgPool,
) -> impl Fn() -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync + 'static + use<> {
    check_tables(pool, Vec::new())
}

/// The same, and fails when one of these tables is missing or may not be written.
///
/// It reads the catalog only, in one round trip, so that it can be asked every second.
pub fn check_tables(
    pool: &PgPool,
    tables: Vec<&'static str>,
) -> impl Fn() -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync + 'static + use<> {
    let pool = pool.clone();
    move || is_usable(pool.clone(), tables.clone()).boxed()
}

async fn is_usable(pool: PgPool, tables: Vec<&'static str>) -> anyhow::Result<()> {
    let (read_only, missing, refused): (bool, Vec<String>, Vec<String>) = sqlx::query_as(
        "with needed as (select name, to_regclass(name)::oid as id from unnest($1::text[]) name)
         select pg_is_in_recovery() or current_setting('transaction_read_only')::boolean,
                array(select name from needed where id is null),
                array(select name from needed
                      where not (has_table_privilege(id, 'select') and has_table_privilege(id, 'insert')
                                 and has_table_privilege(id, 'update') and has_table_privilege(id, 'delete')))",
    )
    .bind(tables)
    .fetch_one(&pool)
    .await?;
    ensure!(!read_only, "the database is read-only");
    ensure!(
        missing.is_empty(),
        "tables are missing: {}",
        missing.join(", ")
    );
    ensure!(
        refused.is_empty(),
        "no right to use tables: {}",
        refused.join(", ")
    );
    Ok(())
}
