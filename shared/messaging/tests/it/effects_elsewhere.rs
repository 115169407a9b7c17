use messaging::NotPerformed;
use sqlx::PgPool;

use crate::common::stage::Running;
use crate::common::{Gate, QUEUE, Sending, Stage, amqp_header, eventually, parcel};

#[sqlx::test(migrations = false)]
async fn a_message_that_comes_to_another_instance_during_its_effect_waits_there(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let (gate, other) = (Gate::default(), Sending::default());
    let sending = Sending::through(&gate);
    start(&stage, &sending)?;
    stage.rabbitmq.until_consumed(QUEUE).await?;
    stage.publish([parcel("alice", 1)]).await?;
    gate.reached().await;

    start(&stage, &other)?;
    stage.rabbitmq.close_connections("(consume)").await?;
    // Longer than anybody needs to count as dead.
    until_waiting(&pool, 45).await?;
    assert_eq!((sending.sent(), other.sent()), (vec![1], vec![]));
    gate.open();
    assert_eq!(stage.numbers_after(1).await?, [1]);
    eventually("an empty queue", async || {
        Ok((stage.rabbitmq.unacknowledged(QUEUE).await? == 0).then_some(()))
    })
    .await?;
    assert_eq!((sending.sent(), other.sent()), (vec![1], vec![]));
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_doubtful_effect_stays_one_when_its_connection_is_lost(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let gate = Gate::default();
    let sending = Sending::through(&gate);
    sending.fail([NotPerformed::Unknown("no answer".to_owned())]);
    start(&stage, &sending)?;
    stage.rabbitmq.until_consumed(QUEUE).await?;
    stage.publish([parcel("alice", 1)]).await?;
    gate.reached().await;
    stage.rabbitmq.close_connections("(consume)").await?;
    gate.open();
    let letter = stage.rabbitmq.dead_letter().await?;
    let reason = amqp_header(&letter.properties, "dead-letter-reason");
    assert_eq!(reason, "may have taken effect: no answer");
    assert_eq!(sending.sent(), [1]);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_stop_does_not_give_up_the_claim_of_another_worker(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let (gate, other) = (Gate::default(), Sending::default());
    let sending = Sending::through(&gate);
    let running = start(&stage, &sending)?;
    stage.rabbitmq.until_consumed(QUEUE).await?;
    stage.publish([parcel("alice", 1)]).await?;
    gate.reached().await;
    // It comes once more, to the other worker of the same process, which waits.
    stage.rabbitmq.close_connections("(consume)").await?;
    until_waiting(&pool, 10).await?;
    running.stop().await?;

    start(&stage, &other)?;
    eventually("an empty queue", async || {
        Ok((stage.rabbitmq.unacknowledged(QUEUE).await? == 0).then_some(()))
    })
    .await?;
    let letter = stage.rabbitmq.dead_letter().await?;
    let reason = amqp_header(&letter.properties, "dead-letter-reason");
    assert!(reason.contains("was stopped"), "{reason}");
    assert_eq!((sending.sent(), other.sent()), (vec![1], vec![]));
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn what_a_dead_instance_has_claimed_is_taken_over_and_that_is_counted(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let (gate, other) = (Gate::default(), Sending::default());
    let sending = Sending::through(&gate);
    let running = start(&stage, &sending)?;
    stage.rabbitmq.until_consumed(QUEUE).await?;
    stage.publish([parcel("alice", 1)]).await?;
    gate.reached().await;

    running.crash().await;
    start(&stage, &other)?;
    assert_eq!(stage.numbers_after(1).await?, [1]);
    assert_eq!((sending.sent(), other.sent()), (vec![1], vec![1]));
    let takeovers = "select count(*) from messaging.takeovers";
    let takeovers: i64 = sqlx::query_scalar(takeovers).fetch_one(&pool).await?;
    assert_eq!(takeovers, 1);
    stage.end().await
}

/// Starts a consumer that is an instance of its own, and a relay.
fn start(stage: &Stage, sending: &Sending) -> anyhow::Result<Running> {
    let bus = stage.another_bus()?;
    let (consumer, sending) = (bus.queue(QUEUE).concurrency(2), sending.clone());
    stage.start(|token| bus.rabbitmq_relay([], token));
    Ok(stage.start(|token| consumer.run_effects("send", sending, token)))
}

/// Waits until the instances have counted so often, all together.
async fn until_waiting(pool: &PgPool, counts: i64) -> anyhow::Result<()> {
    eventually("counts of those who are alive", async || {
        let counted = "select coalesce(sum(beat), 0)::bigint from messaging.instances";
        let counted: i64 = sqlx::query_scalar(counted).fetch_one(pool).await?;
        Ok((counted >= counts).then_some(()))
    })
    .await
}
