use std::time::Duration;

use contracts::topology::Topic;
use messaging::Cause;
use rdkafka::Message;
use sqlx::PgPool;

use crate::common::{PARCELS, Parcel, QUEUE, Stage, eventually, parcel};

#[sqlx::test(migrations = false)]
async fn an_unroutable_message_waits_in_the_outbox_until_a_queue_is_bound(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    let unroutable = parcel("alice", 1).via_exchange(PARCELS, "to.nobody");
    let others = (2..=9).map(|number| parcel("alice", number).via_queue(QUEUE));
    stage
        .publish([unroutable].into_iter().chain(others))
        .await?;
    stage.start(|token| stage.bus.rabbitmq_relay([PARCELS], token));

    for expected in 2..=9 {
        assert_eq!(take(&stage).await?.number, expected);
    }
    until_attempts(&stage, 2).await?;
    assert_eq!(stage.outbox_size().await?, 1);

    stage.rabbitmq.bind(QUEUE, PARCELS.name, "to.*").await?;
    assert_eq!(take(&stage).await?.number, 1);
    stage.until_the_outbox_is_empty().await?;
    assert_eq!(stage.rabbitmq.size(QUEUE).await?, 0);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_message_that_was_refused_for_days_still_lets_others_pass(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    let unroutable = parcel("alice", 1).via_exchange(PARCELS, "to.nobody");
    stage.publish([unroutable]).await?;
    let days = sqlx::query("update messaging.outbox set attempts = 100000");
    days.execute(&pool).await?;
    stage.start(|token| stage.bus.rabbitmq_relay([PARCELS], token));
    until_attempts(&stage, 100_001).await?;

    stage.publish([parcel("alice", 2).via_queue(QUEUE)]).await?;
    assert_eq!(take(&stage).await?.number, 2);
    until_attempts(&stage, 100_002).await?;
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn what_a_full_queue_refuses_waits_in_the_outbox_until_there_is_room(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare_with_room_for_one(QUEUE).await?;
    let parcels = (1..=3).map(|number| parcel("alice", number).via_queue(QUEUE));
    stage.publish(parcels).await?;
    stage.start(|token| stage.bus.rabbitmq_relay([], token));
    until_attempts(&stage, 2).await?;
    assert_eq!(stage.rabbitmq.size(QUEUE).await?, 1);
    assert_eq!(stage.outbox_size().await?, 2);

    let mut numbers = Vec::new();
    for _ in 0..3 {
        numbers.push(take(&stage).await?.number);
    }
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3]);
    stage.until_the_outbox_is_empty().await?;
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_delay_that_no_consumer_has_declared_keeps_the_message_in_the_outbox(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let mut tx = stage.bus.begin().await?;
    tx.publish_after(&Cause::none(), &parcel("alice", 1), Duration::from_secs(7));
    tx.commit().await?;
    stage.start(|token| stage.bus.rabbitmq_relay([], token));
    until_attempts(&stage, 1).await?;
    assert_eq!(stage.outbox_size().await?, 1);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_fact_that_is_too_large_stays_in_the_outbox_and_lets_others_pass(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(1).await?;
    let huge = parcel("x".repeat(2_000_000), 1).via_topic(topic.topic);
    let other = parcel("alice", 2).via_topic(topic.topic);
    stage.publish([huge, other]).await?;
    stage.start(|token| stage.bus.kafka_relay([topic.topic], token));

    let record = topic.records()?.next().await?;
    let received: Parcel = serde_json::from_slice(record.payload().unwrap_or_default())?;
    assert_eq!(received.number, 2);
    until_attempts(&stage, 2).await?;
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn messages_for_one_broker_do_not_wait_for_the_other(pool: PgPool) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(1).await?;
    let nobody_listens_here = "amqp://127.0.0.1:9/none".to_owned();
    stage.args.amqp_url = nobody_listens_here;
    let bus = stage.another_bus()?;
    stage.start(|token| bus.rabbitmq_relay([], token));
    stage.start(|token| bus.kafka_relay([topic.topic], token));

    let command = parcel("alice", 1).via_queue(QUEUE);
    let fact = parcel("alice", 2).via_topic(topic.topic);
    stage.publish([command, fact]).await?;

    topic.records()?.next().await?;
    eventually("only the command left", async || {
        Ok((stage.outbox_size().await? == 1).then_some(()))
    })
    .await?;
    stage.end().await
}

/// A topic that nobody has created takes nothing and refuses nothing.
#[sqlx::test(migrations = false)]
async fn a_topic_that_confirms_nothing_has_nothing_of_others_published_again(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let other = stage.topic(1).await?;
    let missing = Topic {
        name: format!("{}.missing", other.topic.name).leak(),
        ..other.topic
    };
    let parcels = [(missing, 1), (other.topic, 2)];
    let parcels = parcels.map(|(topic, number)| parcel("alice", number).via_topic(topic));
    stage.publish(parcels).await?;
    stage.start(|token| stage.bus.kafka_relay([other.topic], token));

    eventually("only what is not confirmed is left", async || {
        Ok((stage.outbox_size().await? == 1).then_some(()))
    })
    .await?;
    stage
        .publish([parcel("alice", 3).via_topic(other.topic)])
        .await?;
    let records = other.records()?;
    for expected in [2, 3] {
        let record = records.next().await?;
        let received: Parcel = serde_json::from_slice(record.payload().unwrap_or_default())?;
        assert_eq!(received.number, expected);
    }
    stage.end().await
}

async fn take(stage: &Stage) -> anyhow::Result<Parcel> {
    let message = stage.rabbitmq.take(QUEUE).await?;
    Ok(serde_json::from_slice(&message.delivery.data)?)
}

/// Waits until the broker has refused a message so often.
async fn until_attempts(stage: &Stage, attempts: i32) -> anyhow::Result<()> {
    eventually("more attempts to publish", async || {
        let most = sqlx::query_scalar("select coalesce(max(attempts), 0) from messaging.refused");
        let most: i32 = most.fetch_one(&stage.pool).await?;
        Ok((most >= attempts).then_some(()))
    })
    .await
}
