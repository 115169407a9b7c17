use anyhow::anyhow;
use messaging::{Failure, NotPerformed};
use sqlx::PgPool;

use crate::common::stage::Running;
use crate::common::{Gate, QUEUE, Sending, Stage, amqp_header, eventually, parcel};

#[sqlx::test(migrations = false)]
async fn an_effect_takes_place_once_while_it_cannot_be_recorded(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::with_retry_delays(&pool, &[]).await?;
    let mut lock = pool.begin().await?;
    let share = "lock table effects in share mode";
    sqlx::query(share).execute(&mut *lock).await?;
    let sending = Sending::default();
    start(&stage, &sending).await?;
    stage.publish([parcel("alice", 1)]).await?;

    until_recorded(&sending, 5).await?;
    lock.rollback().await?;
    assert_eq!(stage.numbers_after(1).await?, [1]);
    assert_eq!(sending.sent(), [1]);
    nothing_is_left(&stage).await
}

#[sqlx::test(migrations = false)]
async fn an_effect_takes_place_once_when_the_database_goes_away_before_it_is_recorded(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::with_retry_delays(&pool, &[]).await?;
    let sending = Sending::losing_the_database(4);
    start(&stage, &sending).await?;
    stage.publish([parcel("alice", 1)]).await?;
    assert_eq!(stage.numbers_after(1).await?, [1]);
    assert_eq!((sending.sent(), sending.recorded()), (vec![1], 5));
    nothing_is_left(&stage).await
}

#[sqlx::test(migrations = false)]
async fn no_transaction_is_open_during_an_effect(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let gate = Gate::default();
    start(&stage, &Sending::through(&gate)).await?;
    stage.publish([parcel("alice", 1)]).await?;
    gate.reached().await;
    // The relay of the same process opens transactions, but leaves none open.
    eventually("a moment without any transaction", async || {
        let open = "select count(*) from pg_stat_activity
                    where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()";
        let open: i64 = sqlx::query_scalar(open).fetch_one(&pool).await?;
        Ok((open == 0).then_some(()))
    })
    .await?;
    assert_eq!(stage.effects().await?, []);
    gate.open();
    stage.numbers_after(1).await?;
    nothing_is_left(&stage).await
}

#[sqlx::test(migrations = false)]
async fn what_certainly_did_not_happen_is_tried_again(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let sending = Sending::failing([
        Failure::unavailable(anyhow!("no mail server")).into(),
        Failure::unavailable(anyhow!("no mail server")).into(),
        Failure::retry(anyhow!("mailbox full")).into(),
        Failure::unavailable(anyhow!("no mail server")).into(),
    ]);
    start(&stage, &sending).await?;
    stage.publish([parcel("alice", 1)]).await?;
    assert_eq!(stage.numbers_after(1).await?, [1]);
    assert_eq!(sending.sent(), [1; 5]);
    nothing_is_left(&stage).await
}

#[sqlx::test(migrations = false)]
async fn what_was_claimed_and_is_then_rejected_is_claimed_no_more(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let away = Failure::unavailable(anyhow!("no mail server"));
    let sending = Sending::rejecting_after(away.into());
    start(&stage, &sending).await?;
    stage.publish([parcel("alice", 1)]).await?;
    let letter = stage.rabbitmq.dead_letter().await?;
    let reason = amqp_header(&letter.properties, "dead-letter-reason");
    assert!(reason.contains("nobody wants it"), "{reason}");
    assert_eq!(sending.sent(), [1]);
    nothing_is_left(&stage).await
}

#[sqlx::test(migrations = false)]
async fn an_effect_that_may_have_taken_place_is_a_dead_letter_and_nobody_tries_again(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let sending = Sending::failing([NotPerformed::Unknown("no answer".to_owned())]);
    start(&stage, &sending).await?;
    stage.publish([parcel("alice", 1)]).await?;
    let letter = stage.rabbitmq.dead_letter().await?;
    let reason = amqp_header(&letter.properties, "dead-letter-reason");
    assert_eq!(reason, "may have taken effect: no answer");
    assert_eq!(sending.sent(), [1]);
    assert_eq!(stage.effects().await?, []);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_stop_waits_for_an_effect_that_has_begun(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let gate = Gate::default();
    let sending = Sending::through(&gate);
    let running = start(&stage, &sending).await?;
    stage.publish([parcel("alice", 1)]).await?;
    gate.reached().await;
    running.cancel();
    gate.open();
    running.stop().await?;
    assert_eq!(stage.numbers_after(1).await?, [1]);
    assert_eq!(stage.rabbitmq.size(QUEUE).await?, 0);
    assert_eq!(sending.sent(), [1]);
    nothing_is_left(&stage).await
}

#[sqlx::test(migrations = false)]
async fn an_effect_that_does_not_end_in_time_for_a_stop_is_not_begun_again(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let gate = Gate::default();
    let sending = Sending::through(&gate);
    let running = start(&stage, &sending).await?;
    stage.publish([parcel("alice", 1)]).await?;
    gate.reached().await;
    running.stop().await?;
    gate.open();
    start(&stage, &sending).await?;
    let letter = stage.rabbitmq.dead_letter().await?;
    let reason = amqp_header(&letter.properties, "dead-letter-reason");
    assert!(reason.contains("was stopped"), "{reason}");
    assert_eq!(sending.sent(), [1]);
    stage.end().await
}

/// Starts a consumer and a relay.
async fn start(stage: &Stage, sending: &Sending) -> anyhow::Result<Running> {
    let consumer = stage.bus.queue(QUEUE);
    let sending = sending.clone();
    let running = stage.start(|token| consumer.run_effects("send", sending, token));
    stage.start(|token| stage.bus.rabbitmq_relay([], token));
    stage.rabbitmq.until_consumed(QUEUE).await?;
    Ok(running)
}

async fn until_recorded(sending: &Sending, times: usize) -> anyhow::Result<()> {
    eventually("attempts to record", async || {
        Ok((sending.recorded() >= times).then_some(()))
    })
    .await
}

/// Neither claims nor dead letters.
async fn nothing_is_left(stage: &Stage) -> anyhow::Result<()> {
    let claims = "select count(*) from messaging.claims";
    let claims: i64 = sqlx::query_scalar(claims).fetch_one(&stage.pool).await?;
    assert_eq!(claims, 0);
    assert_eq!(stage.rabbitmq.size("dead-letters").await?, 0);
    Ok(())
}
