use contracts::Message as _;
use sqlx::PgPool;
use uuid::Uuid;

use crate::common::{PARCELS, Parcel, QUEUE, Stage, cloud_event, headers, parcel, record_all};

#[sqlx::test(migrations = false)]
async fn a_message_that_was_handled_before_is_not_handled_again(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    let consumer = stage.bus.queue(QUEUE);
    let running = stage.start(|token| consumer.run("receive", record_all(), token));
    let id = Uuid::now_v7();

    send(&stage, id, 1).await?;
    stage.numbers_after(1).await?;
    send(&stage, id, 1).await?;
    send(&stage, Uuid::now_v7(), 2).await?;

    assert_eq!(stage.numbers_after(2).await?, [1, 2]);
    running.stop().await?;
    assert_eq!(stage.rabbitmq.size(QUEUE).await?, 0);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_message_that_is_in_a_batch_twice_is_handled_once(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    let ids = [Uuid::now_v7(), Uuid::now_v7()];
    for id in [ids[0], ids[1], ids[0], ids[1], ids[1]] {
        send(&stage, id, 1).await?;
    }
    send(&stage, Uuid::now_v7(), 2).await?;
    let consumer = stage.bus.queue(QUEUE).batch(10);
    let running = stage.start(|token| consumer.run("receive", record_all(), token));

    assert_eq!(stage.numbers_after(3).await?, [1, 1, 2]);
    running.stop().await?;
    assert_eq!(stage.rabbitmq.size(QUEUE).await?, 0);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn consumers_of_one_queue_handle_every_message_once(pool: PgPool) -> anyhow::Result<()> {
    const MESSAGES: i64 = 150;
    let stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    let other = stage.another_bus()?;
    for bus in [&stage.bus, &other] {
        let consumer = bus.queue(QUEUE).batch(7).concurrency(2);
        stage.start(|token| consumer.run("receive", record_all(), token));
    }
    for number in 1..=MESSAGES {
        // Twice in a row, so that both often handle it at the same time.
        let id = Uuid::now_v7();
        send(&stage, id, number).await?;
        send(&stage, id, number).await?;
    }

    let mut numbers = stage.numbers_after(usize::try_from(MESSAGES)?).await?;
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=MESSAGES).collect::<Vec<_>>());
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_record_that_is_in_a_topic_twice_is_handled_once(pool: PgPool) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(2).await?;
    let id = Uuid::now_v7().to_string();
    for partition in [0, 0, 1] {
        let headers = headers(&[("ce_id", &id), ("ce_type", Parcel::TYPE)]);
        let body = serde_json::to_vec(&parcel("alice", 1))?;
        topic.send(partition, "alice", headers, &body).await?;
    }
    let id = Uuid::now_v7().to_string();
    for partition in [0, 1] {
        let headers = headers(&[("ce_id", &id), ("ce_type", Parcel::TYPE)]);
        let body = serde_json::to_vec(&parcel("alice", 2))?;
        topic.send(partition, "alice", headers, &body).await?;
    }
    for bus in [stage.bus.clone(), stage.another_bus()?] {
        let consumer = bus.topic(topic.topic).batch(10);
        stage.start(|token| consumer.run("receive", record_all(), token));
    }

    let group = format!("tests.{}", topic.topic.name);
    crate::common::eventually("committed offsets", async || {
        Ok((topic.committed(&group)? == [(0, 3), (1, 2)].into()).then_some(()))
    })
    .await?;
    let mut numbers = stage.numbers_after(2).await?;
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2]);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn each_handler_has_an_inbox_of_its_own(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    for (queue, handler) in [("first", "one"), ("second", "other")] {
        let consumer = stage.bus.queue(queue).bind(PARCELS, "to.all");
        stage.start(|token| consumer.run(handler, record_all(), token));
        stage.rabbitmq.until_consumed(queue).await?;
    }
    stage.start(|token| stage.bus.rabbitmq_relay([PARCELS], token));
    stage
        .publish([parcel("alice", 1).via_exchange(PARCELS, "to.all")])
        .await?;

    assert_eq!(stage.numbers_after(2).await?, [1, 1]);
    assert_eq!(stage.inbox("one").await?, stage.inbox("other").await?);
    stage.end().await
}

async fn send(stage: &Stage, id: Uuid, number: i64) -> anyhow::Result<()> {
    let event = cloud_event(&id.to_string(), Parcel::TYPE);
    let body = serde_json::to_vec(&parcel("alice", number))?;
    stage.rabbitmq.send(QUEUE, event, &body).await
}
