//! What a statement costs, in a measure that is the same on every machine: pages of tables and indexes, as the
//! server counts them.

use serde_json::Value;
use sqlx::postgres::PgArguments;
use sqlx::{AssertSqlSafe, Connection, Execute, PgConnection, Postgres, SqlStr};

/// A statement as the code runs it, with its values.
#[derive(Clone)]
pub struct Statement {
    sql: SqlStr,
    arguments: PgArguments,
}

/// Takes a query apart, so that it can be explained.
///
/// # Errors
///
/// When a value cannot be encoded.
pub fn statement<'q>(mut query: impl Execute<'q, Postgres>) -> anyhow::Result<Statement> {
    let arguments = query.take_arguments();
    let arguments = arguments.map_err(anyhow::Error::from_boxed)?;
    Ok(Statement {
        sql: query.sql(),
        arguments: arguments.unwrap_or_default(),
    })
}

/// How many buffers a statement touches. What it changes is taken back.
///
/// # Errors
///
/// When the database refuses the statement.
pub async fn of(db: &mut PgConnection, statement: Statement) -> anyhow::Result<i64> {
    let Statement { sql, arguments } = statement;
    let explain = format!("explain (analyze, buffers, format json) {}", sql.as_str());
    let explain = sqlx::query_scalar_with(AssertSqlSafe(explain), arguments);
    let mut tx = db.begin().await?;
    let explained: Value = explain.fetch_one(&mut *tx).await?;
    tx.rollback().await?;
    let plan = &explained[0]["Plan"];
    Ok(touched(plan) + unread(plan, plan))
}

/// The same by the plan that is made without the values, as a service keeps it: what was asked for of all tables and
/// indexes but those of the server.
///
/// # Errors
///
/// When the database refuses the statement.
pub async fn of_kept_plan(db: &mut PgConnection, statement: Statement) -> anyhow::Result<i64> {
    let Statement { sql, arguments } = statement;
    of_kept_plans(db, async |db: &mut PgConnection| {
        let query = sqlx::query_with(sql, arguments);
        query.fetch_all(db).await.map(drop)
    })
    .await
}

/// The same of all that is asked there.
///
/// # Errors
///
/// When the database refuses a statement.
pub async fn of_kept_plans(
    db: &mut PgConnection,
    ask: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<()>,
) -> anyhow::Result<i64> {
    let mut tx = db.begin().await?;
    sqlx::query("set local plan_cache_mode = force_generic_plan")
        .execute(&mut *tx)
        .await?;
    let before = fetched(&mut tx).await?;
    let asked: &mut PgConnection = &mut tx;
    ask(asked).await?;
    let after = fetched(&mut tx).await?;
    tx.rollback().await?;
    Ok(after - before)
}

/// How many buffers this session has asked for since it last told the statistics, which it does between transactions.
async fn fetched(db: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select coalesce(sum(pg_stat_get_xact_blocks_fetched(oid)), 0)::bigint from pg_class
         where relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)",
    )
    .fetch_one(db)
    .await
}

/// By a node and all that runs inside of it.
fn touched(node: &Value) -> i64 {
    let count = |key: &str| node[key].as_i64().unwrap_or_default();
    count("Shared Hit Blocks") + count("Shared Read Blocks")
}

/// By changes in a `with` that nothing reads: they run after the node that they stand below.
fn unread(node: &Value, root: &Value) -> i64 {
    let below = node["Plans"].as_array().into_iter().flatten();
    let of_each = below.map(|plan| {
        let name = plan["Subplan Name"].as_str().unwrap_or_default();
        let name = name.strip_prefix("CTE ");
        match name.filter(|name| !is_read(name, root)) {
            Some(_) => touched(plan),
            None => unread(plan, root),
        }
    });
    of_each.sum()
}

fn is_read(name: &str, node: &Value) -> bool {
    let mut below = node["Plans"].as_array().into_iter().flatten();
    node["CTE Name"] == name || below.any(|plan| is_read(name, plan))
}

#[test]
fn changes_that_nothing_reads_are_counted_beside_the_rest() {
    let plan = serde_json::json!({
        "Node Type": "Result", "Shared Hit Blocks": 10, "Shared Read Blocks": 1,
        "Plans": [
            {"Node Type": "ModifyTable", "Subplan Name": "CTE unread", "Shared Hit Blocks": 100},
            {"Node Type": "ModifyTable", "Subplan Name": "CTE read", "Shared Hit Blocks": 5},
            {"Node Type": "CTE Scan", "CTE Name": "read", "Shared Hit Blocks": 5},
        ],
    });
    assert_eq!(touched(&plan) + unread(&plan, &plan), 111);
}
