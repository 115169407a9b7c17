use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::anyhow;
use messaging::{Failure, Handler, Received, Tx};
use sqlx::{Connection, PgConnection, PgPool};

use crate::common::{
    Parcel, QUEUE, Stage, amqp_header, eventually, parcel, record, record_all, record_if,
};

/// Without any delay, the first failure that counts would be the last.
const NO_RETRY: &[Duration] = &[];

/// For a batch of which the first message may be delivered before the others: alone, it counts.
const SHORT: &[Duration] = &[Duration::from_millis(100); 3];

#[sqlx::test(migrations = false)]
async fn a_read_only_database_holds_all_messages(pool: PgPool) -> anyhow::Result<()> {
    let stage = queued_up(&pool, 5, NO_RETRY).await?;
    read_only(&pool, "set default_transaction_read_only = on").await?;
    let reason = held(&stage, record_all()).await?;
    assert!(reason.contains("read-only transaction"), "{reason}");
    read_only(&pool, "reset default_transaction_read_only").await?;
    all_are_handled(stage, 5).await
}

#[sqlx::test(migrations = false)]
async fn a_missing_table_holds_all_messages(pool: PgPool) -> anyhow::Result<()> {
    let stage = queued_up(&pool, 5, NO_RETRY).await?;
    execute(&pool, "alter table effects rename to elsewhere").await?;
    let reason = held(&stage, record_all()).await?;
    assert!(reason.contains("\"effects\" does not exist"), "{reason}");
    execute(&pool, "alter table elsewhere rename to effects").await?;
    all_are_handled(stage, 5).await
}

#[sqlx::test(migrations = false)]
async fn a_missing_inbox_holds_all_messages(pool: PgPool) -> anyhow::Result<()> {
    let stage = queued_up(&pool, 5, NO_RETRY).await?;
    execute(&pool, "alter table messaging.inbox rename to elsewhere").await?;
    held(&stage, record_all()).await?;
    execute(&pool, "alter table messaging.elsewhere rename to inbox").await?;
    all_are_handled(stage, 5).await
}

#[sqlx::test(migrations = false)]
async fn a_commit_that_fails_never_speaks_about_the_message(pool: PgPool) -> anyhow::Result<()> {
    let stage = queued_up(&pool, 1, NO_RETRY).await?;
    for statement in [
        "create function refuse() returns trigger language plpgsql as
             $$ begin raise exception 'not today'; end $$",
        "create constraint trigger refuse after insert on effects
             initially deferred for each row execute function refuse()",
    ] {
        execute(&pool, statement).await?;
    }
    let reason = held(&stage, record_all()).await?;
    assert!(reason.contains("not today"), "{reason}");
    execute(&pool, "drop trigger refuse on effects").await?;
    all_are_handled(stage, 1).await
}

#[sqlx::test(migrations = false)]
async fn what_fails_in_the_same_way_for_a_whole_batch_is_held(pool: PgPool) -> anyhow::Result<()> {
    let stage = queued_up(&pool, 5, SHORT).await?;
    let well = Arc::new(AtomicBool::new(false));
    let handler = record_if({
        let well = Arc::clone(&well);
        move |_| match well.load(Ordering::SeqCst) {
            true => Ok(()),
            false => Err(Failure::retry(anyhow!("no partition for today"))),
        }
    });
    let reason = held(&stage, handler).await?;
    assert!(reason.contains("no partition for today"), "{reason}");
    well.store(true, Ordering::SeqCst);
    all_are_handled(stage, 5).await
}

#[sqlx::test(migrations = false)]
async fn a_message_that_alone_meets_a_missing_table_becomes_a_dead_letter(
    pool: PgPool,
) -> anyhow::Result<()> {
    struct MissesATable;
    impl Handler for MissesATable {
        type Message = Parcel;
        async fn handle(&self, tx: &mut Tx, message: &Received<Parcel>) -> Result<(), Failure> {
            if message.body.number == 4 {
                let nowhere = sqlx::query("insert into nowhere default values");
                nowhere.execute(&mut **tx).await?;
            }
            record(tx, message).await
        }
    }
    let stage = queued_up(&pool, 5, NO_RETRY).await?;
    start(&stage, MissesATable);
    let dead = stage.rabbitmq.dead_letter().await?.delivery;
    let reason = amqp_header(&dead.properties, "dead-letter-reason");
    assert!(reason.contains("\"nowhere\" does not exist"), "{reason}");
    assert_eq!(stage.numbers_after(4).await?, [1, 2, 3, 5]);
    stage.end().await
}

/// A stage with so many parcels in its queue, which nobody consumes yet.
async fn queued_up(pool: &PgPool, count: u32, retry_delays: &[Duration]) -> anyhow::Result<Stage> {
    let stage = Stage::with_retry_delays(pool, retry_delays).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    let numbers = 1..=i64::from(count);
    stage.publish(numbers.map(|n| parcel("alice", n))).await?;
    let relay = stage.start(|token| stage.bus.rabbitmq_relay([], token));
    eventually("a full queue", async || {
        Ok((stage.rabbitmq.size(QUEUE).await? == count).then_some(()))
    })
    .await?;
    relay.stop().await?;
    Ok(stage)
}

fn start(stage: &Stage, handler: impl Handler<Message = Parcel>) {
    let consumer = stage.bus.queue(QUEUE).batch(5);
    stage.start(|token| consumer.run("receive", handler, token));
}

/// Starts to consume and waits until health says that messages are held; returns why.
async fn held(stage: &Stage, handler: impl Handler<Message = Parcel>) -> anyhow::Result<String> {
    start(stage, handler);
    let check = stage.bus.consumers_check();
    eventually("held messages", async || {
        Ok(check().await.err().map(|error| format!("{error:#}")))
    })
    .await
}

async fn all_are_handled(stage: Stage, count: usize) -> anyhow::Result<()> {
    let mut numbers = stage.numbers_after(count).await?;
    numbers.sort_unstable();
    let all: Vec<i64> = (1..=i64::try_from(count)?).collect();
    assert_eq!(numbers, all);
    assert_eq!(stage.rabbitmq.size("dead-letters").await?, 0);
    let check = stage.bus.consumers_check();
    eventually("nothing is held", async || {
        Ok(check().await.is_ok().then_some(()))
    })
    .await?;
    stage.end().await
}

async fn execute(pool: &PgPool, statement: &'static str) -> sqlx::Result<()> {
    sqlx::query(statement).execute(pool).await.map(|_| ())
}

/// Changes a setting of the database of the test, and ends its connections, as a failover does.
async fn read_only(pool: &PgPool, change: &str) -> anyhow::Result<()> {
    let options = pool.connect_options();
    let writing = options.as_ref().clone();
    let writing = writing.options([("default_transaction_read_only", "off")]);
    let mut admin = PgConnection::connect_with(&writing).await?;
    let database: String = sqlx::query_scalar("select quote_ident(current_database())")
        .fetch_one(&mut admin)
        .await?;
    let alter = format!("alter database {database} {change}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(alter))
        .execute(&mut admin)
        .await?;
    sqlx::query(
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()",
    )
    .execute(&mut admin)
    .await?;
    Ok(())
}
