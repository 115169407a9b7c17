use anyhow::anyhow;
use messaging::Failure;
use sqlx::PgPool;

use crate::common::{QUEUE, Stage, amqp_header, eventually, parcel, record_all, record_if};

#[sqlx::test(migrations = false)]
async fn messages_of_a_batch_share_a_transaction(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    queue_up(&stage, 1..=100).await?;
    let consumer = stage.bus.queue(QUEUE).batch(100);
    stage.start(|token| consumer.run("receive", record_all(), token));

    let numbers: Vec<i64> = (1..=100).collect();
    assert_eq!(stage.numbers_after(100).await?, numbers);
    let transactions = sqlx::query_scalar("select count(distinct xmin::text) from effects");
    let transactions: i64 = transactions.fetch_one(&pool).await?;
    assert!(transactions < 100, "{transactions} transactions");
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_poison_message_does_not_fail_its_neighbours(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    queue_up(&stage, 1..=20).await?;
    let consumer = stage.bus.queue(QUEUE).batch(20);
    let handler = record_if(|message| match message.body.number {
        7 => Err(Failure::retry(anyhow!("poison"))),
        13 => Err(Failure::reject("poison as well")),
        _ => Ok(()),
    });
    stage.start(|token| consumer.run("receive", handler, token));

    let mut reasons = Vec::new();
    for _ in 0..2 {
        let dead = stage.rabbitmq.dead_letter().await?.delivery;
        let header = |name| amqp_header(&dead.properties, name);
        reasons.push((header("dead-letter-reason"), header("dead-letter-attempts")));
    }
    let expected = [("poison as well", "1"), ("poison", "2")];
    assert_eq!(reasons, expected.map(|(a, b)| (a.into(), b.into())));
    let mut numbers = stage.numbers_after(18).await?;
    numbers.sort_unstable();
    let good: Vec<i64> = (1..=20).filter(|n| ![7, 13].contains(n)).collect();
    assert_eq!(numbers, good);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_handler_that_panics_has_failed_and_its_neighbours_are_handled(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    queue_up(&stage, 1..=5).await?;
    let consumer = stage.bus.queue(QUEUE).batch(5);
    let handler = record_if(|message| {
        assert_ne!(message.body.number, 3, "as a bug would have it");
        Ok(())
    });
    stage.start(|token| consumer.run("receive", handler, token));

    let dead = stage.rabbitmq.dead_letter().await?.delivery;
    let header = |name| amqp_header(&dead.properties, name);
    assert_eq!(header("dead-letter-reason"), "the handler panicked");
    assert_eq!(header("dead-letter-attempts"), "2");
    assert_eq!(stage.numbers_after(4).await?, [1, 2, 4, 5]);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn what_takes_too_long_for_a_batch_is_handled_one_by_one(pool: PgPool) -> anyhow::Result<()> {
    struct Slow;
    impl messaging::BatchHandler for Slow {
        type Message = crate::common::Parcel;
        async fn handle_batch(
            &self,
            tx: &mut messaging::Tx,
            batch: &[messaging::Received<Self::Message>],
        ) -> Result<(), Failure> {
            let limit = "set local statement_timeout = '1s'";
            sqlx::query(limit).execute(&mut **tx).await?;
            let work = sqlx::query("select pg_sleep(0.15 * $1)").bind(batch.len() as f64);
            work.execute(&mut **tx).await?;
            for message in batch {
                crate::common::record(tx, message).await?;
            }
            Ok(())
        }
    }
    let stage = Stage::with_retry_delays(&pool, &[]).await?;
    queue_up(&stage, 1..=10).await?;
    let consumer = stage.bus.queue(QUEUE).batch(10);
    stage.start(|token| consumer.run("receive", Slow, token));

    let numbers: Vec<i64> = (1..=10).collect();
    assert_eq!(stage.numbers_after(10).await?, numbers);
    assert_eq!(stage.rabbitmq.size("dead-letters").await?, 0);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn an_effect_of_a_batch_that_failed_is_undone(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    queue_up(&stage, 1..=3).await?;
    // It takes its effect and fails all the same, once.
    struct Late(std::sync::atomic::AtomicU32);
    impl messaging::BatchHandler for Late {
        type Message = crate::common::Parcel;
        async fn handle_batch(
            &self,
            tx: &mut messaging::Tx,
            batch: &[messaging::Received<Self::Message>],
        ) -> Result<(), Failure> {
            for message in batch {
                crate::common::record(tx, message).await?;
                tx.publish(&message.cause, &parcel("bob", 1).via_queue("bob"));
            }
            if self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 {
                return Err(Failure::retry(anyhow!("too late")));
            }
            Ok(())
        }
    }
    let consumer = stage.bus.queue(QUEUE).batch(3);
    stage.start(|token| consumer.run("receive", Late(Default::default()), token));

    assert_eq!(stage.numbers_after(3).await?.len(), 3);
    assert_eq!(stage.outbox_size().await?, 3);
    stage.end().await
}

/// Fills the queue before anybody consumes it.
async fn queue_up(stage: &Stage, numbers: std::ops::RangeInclusive<i64>) -> anyhow::Result<()> {
    stage.rabbitmq.declare(QUEUE).await?;
    let count = u32::try_from(numbers.clone().count())?;
    stage.publish(numbers.map(|n| parcel("alice", n))).await?;
    let relay = stage.start(|token| stage.bus.rabbitmq_relay([], token));
    eventually("a full queue", async || {
        Ok((stage.rabbitmq.size(QUEUE).await? == count).then_some(()))
    })
    .await?;
    relay.stop().await
}
