use super::*;
use crate::tests::buffers;

const ROWS: i64 = 200_000;
/// For one pass.
const LIMIT: i64 = 2_000;
const RETENTION: Duration = Duration::from_secs(7 * 24 * 3600);

#[sqlx::test(migrations = false)]
async fn pruning_costs_the_same_after_a_year_as_on_the_first_day(
    pool: PgPool,
) -> anyhow::Result<()> {
    crate::migrate::migrate(&pool).await?;
    // Only this test says when pages are used again.
    execute(
        &pool,
        "alter table messaging.inbox set (autovacuum_enabled = false)",
    )
    .await?;
    handle(&pool, ROWS).await?;
    let first_day = most_for_a_pass(&pool).await?;

    // In each round an eighth of the entries, from all over the table, makes room for new ones.
    for round in 0..5 {
        let leave = "delete from messaging.inbox where hashtext(message_id::text) & 7 = $1";
        let left = sqlx::query(leave).bind(round).execute(&pool).await?;
        execute(&pool, "vacuum messaging.inbox").await?;
        handle(&pool, i64::try_from(left.rows_affected())?).await?;
    }
    let after_a_year = most_for_a_pass(&pool).await?;
    println!("buffers of one pass: {first_day} on the first day, {after_a_year} after a year");
    assert!(first_day <= LIMIT, "{first_day}");
    assert!(after_a_year <= LIMIT, "{after_a_year}");

    let mut pruning = Pruning::default();
    while old(&pool).await? > 0 {
        let page = pruning.page;
        let forgotten = pruning.pass(&pool, RETENTION).await?;
        assert!(forgotten > 0 || pruning.page != page, "no progress");
    }
    Ok(())
}

/// The most that any pass costs, wherever it begins.
async fn most_for_a_pass(pool: &PgPool) -> anyhow::Result<i64> {
    let mut db = pool.acquire().await?;
    let pages = sqlx::query_scalar("select pg_relation_size('messaging.inbox') / 8192");
    let pages: i64 = pages.fetch_one(&mut *db).await?;
    anyhow::ensure!(pages > LIMIT, "a table of {pages} pages shows nothing");
    let mut most = 0;
    for page in (0..pages).step_by(usize::try_from(PAGES)?) {
        let pass = buffers::statement(forget_old(page, RETENTION))?;
        most = most.max(buffers::of(&mut db, pass).await?);
    }
    Ok(most)
}

/// Messages of the last eight days, one in eight of them older than is remembered.
async fn handle(pool: &PgPool, messages: i64) -> anyhow::Result<()> {
    sqlx::query(
        "insert into messaging.inbox (handler, message_id, received_at)
         select 'record-what-happened-to-it-and-to-others', gen_random_uuid(), clock_timestamp() - random() * interval '8 days'
         from generate_series(1, $1)",
    )
    .bind(messages)
    .execute(pool)
    .await?;
    Ok(())
}

async fn old(pool: &PgPool) -> anyhow::Result<i64> {
    let old = sqlx::query_scalar(
        "select count(*) from messaging.inbox where received_at < clock_timestamp() - interval '7 days'",
    );
    Ok(old.fetch_one(pool).await?)
}

async fn execute(pool: &PgPool, statement: &'static str) -> anyhow::Result<()> {
    sqlx::query(statement).execute(pool).await?;
    Ok(())
}

#[test]
fn few_messages_are_claimed_in_order_and_each_once() {
    let ids = [3, 1, 3].map(Uuid::from_u128);
    let claim = claim_of_few("it's", &ids).unwrap_or_default();
    let (_, rows) = claim.split_once(" values ").unwrap_or_default();
    let (one, three) = (ids[1], ids[0]);
    assert_eq!(rows, format!("('it''s', '{one}'), ('it''s', '{three}')"));
}

#[test]
fn many_messages_are_claimed_by_a_prepared_statement() {
    assert_eq!(claim_of_few("work", &[Uuid::nil(); FEW + 1]), None);
}
