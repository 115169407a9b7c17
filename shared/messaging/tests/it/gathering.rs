//! Topics whose messages nobody waits for, and handlers that nobody has to remember.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contracts::Message as _;
use sqlx::PgPool;
use uuid::Uuid;

use crate::common::{Parcel, Stage, TopicOfTest, headers, parcel, record_all};

/// So long that a slow machine writes many records meanwhile.
const LONG: Duration = Duration::from_secs(2);

#[sqlx::test(migrations = false)]
async fn records_that_come_one_after_the_other_are_gathered_for_few_transactions(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(2).await?;
    let consumer = stage.bus.topic(topic.topic).batch(100).gathering(LONG);
    stage.start(|token| consumer.run("receive", record_all(), token));
    // From the second on, nothing has to be set up any more.
    send(&topic, Uuid::now_v7(), 1).await?;
    stage.numbers_after(1).await?;
    for number in 2..=60 {
        send(&topic, Uuid::now_v7(), number).await?;
    }

    let mut numbers = stage.numbers_after(60).await?;
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=60).collect::<Vec<_>>());
    let transactions = sqlx::query_scalar("select count(distinct xmin::text) from effects");
    let transactions: i64 = transactions.fetch_one(&pool).await?;
    assert!(transactions <= 15, "{transactions} transactions");
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_batch_that_is_full_is_not_gathered_for_any_longer(pool: PgPool) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(1).await?;
    for number in 1..=7 {
        send(&topic, Uuid::now_v7(), number).await?;
    }
    let consumer = stage.bus.topic(topic.topic).batch(3).gathering(LONG);
    let running = stage.start(|token| consumer.run("receive", record_all(), token));

    assert_eq!(stage.numbers_after(7).await?, [1, 2, 3, 4, 5, 6, 7]);
    let batches = "select count(*) from effects group by xmin::text order by min(n)";
    let batches: Vec<i64> = sqlx::query_scalar(batches).fetch_all(&pool).await?;
    assert_eq!(batches, [3, 3, 1]);
    running.stop().await?;
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_batch_of_large_records_takes_four_mib_and_no_more(pool: PgPool) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(1).await?;
    for number in 1..=12 {
        // JSON may have any amount of space behind it.
        let mut body = serde_json::to_vec(&parcel("alice", number))?;
        body.resize(900_000, b' ');
        send_body(&topic, Uuid::now_v7(), number, &body).await?;
    }
    let consumer = stage.bus.topic(topic.topic).batch(100).gathering(LONG);
    stage.start(|token| consumer.run("receive", record_all(), token));

    stage.numbers_after(12).await?;
    let largest = "select max(n) from (select count(*) n from effects group by xmin::text) batches";
    let largest: i64 = sqlx::query_scalar(largest).fetch_one(&pool).await?;
    assert!(largest <= 5, "{largest} records");
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn who_gives_way_asks_after_each_batch_and_takes_all_in_the_end(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(1).await?;
    for number in 1..=7 {
        send(&topic, Uuid::now_v7(), number).await?;
    }
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    // They want to go first twice after the first batch, and never again.
    let others = move || counted.fetch_add(1, Ordering::Relaxed) < 2;
    let consumer = stage.bus.topic(topic.topic).batch(3).giving_way(others);
    let running = stage.start(|token| consumer.run("receive", record_all(), token));

    assert_eq!(stage.numbers_after(7).await?, [1, 2, 3, 4, 5, 6, 7]);
    running.stop().await?;
    let asked = asked.load(Ordering::Relaxed);
    assert!(asked >= 4, "asked {asked} times");
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn what_can_be_repeated_is_repeated_and_not_remembered(pool: PgPool) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(1).await?;
    let id = Uuid::now_v7();
    for number in [1, 1, 2] {
        send(&topic, id, number).await?;
    }
    let consumer = stage.bus.topic(topic.topic).batch(2).repeatable();
    stage.start(|token| consumer.run("receive", record_all(), token));

    assert_eq!(stage.numbers_after(3).await?, [1, 1, 2]);
    assert!(stage.inbox("receive").await?.is_empty());
    stage.end().await
}

/// Into one partition or the other.
async fn send(topic: &TopicOfTest, id: Uuid, number: i64) -> anyhow::Result<()> {
    let body = serde_json::to_vec(&parcel("alice", number))?;
    send_body(topic, id, number, &body).await
}

async fn send_body(topic: &TopicOfTest, id: Uuid, number: i64, body: &[u8]) -> anyhow::Result<()> {
    let headers = headers(&[("ce_id", &id.to_string()), ("ce_type", Parcel::TYPE)]);
    let partition = i32::try_from(number)? % topic.topic.partitions;
    topic.send(partition, "alice", headers, body).await?;
    Ok(())
}
