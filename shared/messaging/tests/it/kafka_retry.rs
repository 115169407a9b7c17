use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use anyhow::anyhow;
use contracts::Message as _;
use messaging::Failure;
use sqlx::PgPool;
use uuid::Uuid;

use crate::common::{
    Parcel, Stage, TopicOfTest, amqp_header, headers, parcel, record_all, record_if,
};

/// Enough attempts for a slow machine.
const MANY: [Duration; 200] = [Duration::from_millis(200); 200];

#[sqlx::test(migrations = false)]
async fn a_retry_holds_only_its_partition_and_keeps_the_order_in_it(
    pool: PgPool,
) -> anyhow::Result<()> {
    held_partition(&pool, 1).await
}

#[sqlx::test(migrations = false)]
async fn a_retry_within_a_batch_holds_only_its_partition_and_keeps_the_order_in_it(
    pool: PgPool,
) -> anyhow::Result<()> {
    held_partition(&pool, 100).await
}

/// The second of five messages fails for as long as the other partition is not done.
async fn held_partition(pool: &PgPool, batch: u16) -> anyhow::Result<()> {
    let mut stage = Stage::with_retry_delays(pool, &MANY).await?;
    let topic = stage.topic(2).await?;
    for number in 1..=5 {
        send(&topic, 0, "held", number).await?;
    }
    for number in 1..=5 {
        send(&topic, 1, "free", number).await?;
    }
    let others_are_done = Arc::new(AtomicBool::new(false));
    let handler = record_if({
        let others_are_done = Arc::clone(&others_are_done);
        move |message| match (&*message.body.key, message.body.number) {
            ("held", 2) if !others_are_done.load(Ordering::SeqCst) => {
                Err(Failure::retry(anyhow!("not before the others")))
            }
            _ => Ok(()),
        }
    });
    let consumer = stage.bus.topic(topic.topic).batch(batch);
    stage.start(|token| consumer.run("receive", handler, token));

    let of = |key: &'static str, effects: &[(String, i64)]| -> Vec<i64> {
        let of_key = effects.iter().filter(|(k, _)| k == key);
        of_key.map(|(_, number)| *number).collect()
    };
    stage.numbers_after(6).await?;
    let effects = stage.effects().await?;
    assert_eq!(of("free", &effects), [1, 2, 3, 4, 5]);
    assert_eq!(of("held", &effects), [1]);
    others_are_done.store(true, Ordering::SeqCst);

    stage.numbers_after(10).await?;
    let effects = stage.effects().await?;
    assert_eq!(of("held", &effects), [1, 2, 3, 4, 5]);
    assert_eq!(of("free", &effects), [1, 2, 3, 4, 5]);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_dead_letter_that_cannot_be_published_holds_only_its_partition(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(2).await?;
    let there = std::mem::replace(&mut stage.args.amqp_url, "amqp://127.0.0.1:9/none".into());
    let bus = stage.another_bus()?;
    let consumer = bus.topic(topic.topic).batch(10);
    let rejects = || {
        record_if(|message| match message.body.number {
            2 => Err(Failure::reject("no")),
            _ => Ok(()),
        })
    };
    let running = stage.start(|token| consumer.run("receive", rejects(), token));
    for number in 1..=3 {
        send(&topic, 0, "held", number).await?;
    }
    stage.numbers_after(1).await?;
    for number in 4..=6 {
        send(&topic, 1, "free", number).await?;
    }
    let mut numbers = stage.numbers_after(5).await?;
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 3, 4, 5, 6]);
    running.stop().await?;
    let group = format!("tests.{}", topic.topic.name);
    let held = topic.committed(&group)?.remove(&0);
    assert!(held.is_none_or(|offset| offset <= 1), "{held:?}");

    stage.args.amqp_url = there;
    let bus = stage.another_bus()?;
    let consumer = bus.topic(topic.topic).batch(10);
    let running = stage.start(|token| consumer.run("receive", rejects(), token));
    let dead = stage.rabbitmq.dead_letter().await?.delivery;
    assert_eq!(amqp_header(&dead.properties, "dead-letter-offset"), "1");
    assert_eq!(amqp_header(&dead.properties, "dead-letter-attempts"), "1");
    running.stop().await?;
    assert_eq!(topic.committed(&group)?, [(0, 3), (1, 3)].into());
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn after_the_last_attempt_a_partition_goes_on(pool: PgPool) -> anyhow::Result<()> {
    let delays = [Duration::from_millis(100), Duration::from_millis(300)];
    let mut stage = Stage::with_retry_delays(&pool, &delays).await?;
    let topic = stage.topic(1).await?;
    for number in 0..6 {
        send(&topic, 0, "alice", number).await?;
    }
    let attempts = Arc::new(AtomicU32::new(0));
    let handler = record_if({
        let attempts = Arc::clone(&attempts);
        move |message| match message.body.number {
            2 => {
                attempts.fetch_add(1, Ordering::SeqCst);
                Err(Failure::retry(anyhow!("never")))
            }
            4 => Err(Failure::reject("no")),
            _ => Ok(()),
        }
    });
    let consumer = stage.bus.topic(topic.topic);
    stage.start(|token| consumer.run("receive", handler, token));

    for (offset, reason, tried) in [("2", "never", "3"), ("4", "no", "1")] {
        let dead = stage.rabbitmq.dead_letter().await?.delivery;
        let header = |name| amqp_header(&dead.properties, name);
        assert_eq!(header("dead-letter-offset"), offset);
        assert_eq!(header("dead-letter-reason"), reason);
        assert_eq!(header("dead-letter-attempts"), tried);
        assert_eq!(header("dead-letter-key"), "alice");
    }
    assert_eq!(stage.numbers_after(4).await?, [0, 1, 3, 5]);
    assert_eq!(attempts.load(Ordering::SeqCst), 3);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn offsets_are_committed_up_to_a_held_message_and_no_further(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::with_retry_delays(&pool, &MANY).await?;
    let topic = stage.topic(1).await?;
    for number in 0..6 {
        send(&topic, 0, "alice", number).await?;
    }
    let group = format!("tests.{}", topic.topic.name);
    let broken = record_if(|message| match message.body.number {
        3 => Err(Failure::retry(anyhow!("broken"))),
        _ => Ok(()),
    });
    let consumer = stage.bus.topic(topic.topic).batch(10);
    let running = stage.start(|token| consumer.run("receive", broken, token));
    assert_eq!(stage.numbers_after(3).await?, [0, 1, 2]);
    running.stop().await?;
    assert_eq!(topic.committed(&group)?, [(0, 3)].into());

    let repaired = stage.bus.topic(topic.topic).batch(10);
    let running = stage.start(|token| repaired.run("receive", record_all(), token));
    assert_eq!(stage.numbers_after(6).await?, [0, 1, 2, 3, 4, 5]);
    running.stop().await?;
    assert_eq!(topic.committed(&group)?, [(0, 6)].into());
    stage.end().await
}

async fn send(topic: &TopicOfTest, partition: i32, key: &str, number: i64) -> anyhow::Result<()> {
    let id = Uuid::now_v7().to_string();
    let headers = headers(&[("ce_id", &id), ("ce_type", Parcel::TYPE)]);
    let body = serde_json::to_vec(&parcel(key, number))?;
    topic.send(partition, key, headers, &body).await?;
    Ok(())
}
