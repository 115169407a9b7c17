use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use contracts::Control;
use messaging::{Bus, Failure};
use sqlx::PgPool;

use crate::common::asking::{Asking, IDLE, deliver, nothing, pause, process};
use crate::common::{
    Parcel, Stage, TopicOfTest, amqp_header, eventually, parcel, record_all, record_if,
};

/// Longer than a member of a group may be silent, and than a consumer may get nowhere before it is replaced.
const LONG: Duration = Duration::from_secs(45);

#[sqlx::test(migrations = false)]
async fn a_paused_consumer_of_a_topic_keeps_its_place_in_the_group(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(2).await?;
    let (_bus, asking) = paused(&stage, &topic).await?;
    let group = format!("tests.{}", topic.topic.name);
    let members = topic.members(&group)?;
    assert_eq!(members.len(), 1);

    let before = Instant::now();
    let facts = (2..=20).map(|n| parcel(n.to_string(), n).via_topic(topic.topic));
    deliver(&stage, facts).await?;
    // What has to be seen is that time passes and nothing happens.
    tokio::time::sleep(LONG.saturating_sub(before.elapsed())).await;
    assert_eq!(topic.members(&group)?, members);
    assert_eq!(stage.effects().await?.len(), 1);

    asking.fall_silent().await?;
    assert_eq!(sorted(stage.numbers_after(20).await?), all(20));
    assert_eq!(topic.members(&group)?, members);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn partitions_that_move_in_a_pause_are_paused_where_they_arrive(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(4).await?;
    let (_bus, asking) = paused(&stage, &topic).await?;
    let facts = (2..=40).map(|n| parcel(n.to_string(), n).via_topic(topic.topic));
    deliver(&stage, facts).await?;

    let late = process(&stage).await?;
    stage.rabbitmq.until_abandoned(IDLE).await?;
    consume(&stage, &late, &topic);
    let group = format!("tests.{}", topic.topic.name);
    eventually("two members with partitions", async || {
        Ok((topic.members(&group)?.len() == 2).then_some(()))
    })
    .await?;
    assert_eq!(stage.effects().await?.len(), 1);

    asking.now(nothing());
    assert_eq!(sorted(stage.numbers_after(40).await?), all(40));
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_partition_that_waits_for_a_retry_waits_on_after_a_pause(
    pool: PgPool,
) -> anyhow::Result<()> {
    const DELAY: Duration = Duration::from_secs(6);
    let mut stage = Stage::with_retry_delays(&pool, &[DELAY]).await?;
    let topic = stage.topic(1).await?.topic;
    stage.start(|token| stage.bus.kafka_relay([topic], token));
    let bus = process(&stage).await?;
    let attempts = Arc::<Mutex<Vec<Instant>>>::default();
    let handler = record_if({
        let attempts = Arc::clone(&attempts);
        move |_| {
            let mut attempts = attempts.lock().unwrap_or_else(PoisonError::into_inner);
            attempts.push(Instant::now());
            match attempts.len() {
                1 => Err(Failure::retry(anyhow!("too early"))),
                _ => Ok(()),
            }
        }
    });
    let consumer = bus.topic(topic);
    stage.start(|token| consumer.run("receive", handler, token));
    deliver(&stage, [parcel("alice", 1).via_topic(topic)]).await?;
    let times = || {
        attempts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    };
    eventually("a first attempt", async || {
        Ok((times().len() == 1).then_some(()))
    })
    .await?;

    let asking = Asking::start(&stage, pause());
    stage.rabbitmq.until_abandoned(IDLE).await?;
    asking.now(nothing());
    stage.rabbitmq.until_consumed(IDLE).await?;
    assert_eq!(stage.numbers_after(1).await?, [1]);
    let times = times();
    assert_eq!(times.len(), 2);
    assert!(times[1] - times[0] >= DELAY, "{times:?}");
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn records_that_were_made_to_fail_hold_their_partition_and_become_dead_letters(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(1).await?;
    let (bus, asking) = paused(&stage, &topic).await?;
    let facts = (2..=6).map(|n| parcel("alice", n).via_topic(topic.topic));
    deliver(&stage, facts).await?;
    asking.now(Control {
        fail_percent: 100,
        ..nothing()
    });
    // Behind a record that is tried again its partition waits, so they come in order.
    for n in 2..=6 {
        let letter = stage.rabbitmq.dead_letter().await?.delivery;
        let header = |name| amqp_header(&letter.properties, name);
        let expected = "made to fail, as Ada has asked for 100 % of attempts";
        assert_eq!(header("dead-letter-reason"), expected);
        assert_eq!(header("dead-letter-attempts"), "2");
        let body: Parcel = serde_json::from_slice(&letter.data)?;
        assert_eq!(body.number, n);
        assert!(bus.consumers_check()().await.is_ok());
    }
    stage.end().await
}

/// A consumer of a topic that has handled one fact and then has heard of a pause.
async fn paused(stage: &Stage, topic: &TopicOfTest) -> anyhow::Result<(Bus, Asking)> {
    let facts = topic.topic;
    stage.start(|token| stage.bus.kafka_relay([facts], token));
    let bus = process(stage).await?;
    consume(stage, &bus, topic);
    deliver(stage, [parcel("1", 1).via_topic(facts)]).await?;
    stage.numbers_after(1).await?;
    let asking = Asking::start(stage, pause());
    stage.rabbitmq.until_abandoned(IDLE).await?;
    Ok((bus, asking))
}

fn consume(stage: &Stage, bus: &Bus, topic: &TopicOfTest) {
    let consumer = bus.topic(topic.topic).batch(5);
    stage.start(|token| consumer.run("receive", record_all(), token));
}

fn sorted(mut numbers: Vec<i64>) -> Vec<i64> {
    numbers.sort_unstable();
    numbers
}

fn all(count: i64) -> Vec<i64> {
    (1..=count).collect()
}
