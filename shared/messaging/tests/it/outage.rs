use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::anyhow;
use messaging::{Failure, Handler, Received, Tx};
use sqlx::PgPool;

use crate::common::{Parcel, QUEUE, Stage, eventually, parcel, record, record_if};

#[sqlx::test(migrations = false)]
async fn a_lost_database_connection_uses_up_no_attempt(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::with_retry_delays(&pool, &[]).await?;
    run(&stage, LosesItsConnection(AtomicU32::new(3))).await?;
    assert_eq!(stage.numbers_after(1).await?, [1]);
    assert_eq!(stage.rabbitmq.size("dead-letters").await?, 0);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn waiting_for_a_lock_in_vain_uses_up_no_attempt(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::with_retry_delays(&pool, &[]).await?;
    let mut lock = pool.begin().await?;
    let exclusive = "lock table effects in access exclusive mode";
    sqlx::query(exclusive).execute(&mut *lock).await?;
    let tries = Arc::new(AtomicU32::new(0));
    run(&stage, Impatient(Arc::clone(&tries))).await?;

    eventually("three tries", async || {
        Ok((tries.load(Ordering::SeqCst) >= 3).then_some(()))
    })
    .await?;
    lock.rollback().await?;

    assert_eq!(stage.numbers_after(1).await?, [1]);
    assert_eq!(stage.rabbitmq.size("dead-letters").await?, 0);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn whatever_else_a_handler_needs_may_be_away_as_well(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::with_retry_delays(&pool, &[]).await?;
    let left = AtomicU32::new(4);
    let handler = record_if(move |_| match countdown(&left) {
        true => Err(Failure::unavailable(anyhow!("no mail server"))),
        false => Ok(()),
    });
    run(&stage, handler).await?;
    assert_eq!(stage.numbers_after(1).await?, [1]);
    assert_eq!(stage.rabbitmq.size("dead-letters").await?, 0);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_statement_that_is_wrong_is_no_outage(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::with_retry_delays(&pool, &[]).await?;
    run(&stage, Wrong).await?;
    stage.rabbitmq.dead_letter().await?;
    assert_eq!(stage.effects().await?, []);
    stage.end().await
}

/// Handles one parcel. Without any delay, the first failure that counts would be the last.
async fn run(stage: &Stage, handler: impl Handler<Message = Parcel>) -> anyhow::Result<()> {
    let consumer = stage.bus.queue(QUEUE);
    stage.start(|token| consumer.run("receive", handler, token));
    stage.start(|token| stage.bus.rabbitmq_relay([], token));
    stage.rabbitmq.until_consumed(QUEUE).await?;
    stage.publish([parcel("alice", 1)]).await
}

/// Its own backend is terminated under it, so many times.
struct LosesItsConnection(AtomicU32);

impl Handler for LosesItsConnection {
    type Message = Parcel;

    async fn handle(&self, tx: &mut Tx, message: &Received<Parcel>) -> Result<(), Failure> {
        record(tx, message).await?;
        if countdown(&self.0) {
            let terminate = "select pg_terminate_backend(pg_backend_pid())";
            sqlx::query(terminate).execute(&mut **tx).await?;
        }
        Ok(())
    }
}

/// Does not wait long for a lock.
struct Impatient(Arc<AtomicU32>);

impl Handler for Impatient {
    type Message = Parcel;

    async fn handle(&self, tx: &mut Tx, message: &Received<Parcel>) -> Result<(), Failure> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let limit = "set local lock_timeout = '20ms'";
        sqlx::query(limit).execute(&mut **tx).await?;
        record(tx, message).await
    }
}

/// Violates a constraint.
struct Wrong;

impl Handler for Wrong {
    type Message = Parcel;

    async fn handle(&self, tx: &mut Tx, _: &Received<Parcel>) -> Result<(), Failure> {
        let incomplete = "insert into effects (number) values (1)";
        sqlx::query(incomplete).execute(&mut **tx).await?;
        Ok(())
    }
}

/// True so many times.
fn countdown(left: &AtomicU32) -> bool {
    let one_less = |left: u32| left.checked_sub(1);
    left.try_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
        .is_ok()
}
