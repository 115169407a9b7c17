//! Generated messages and records, between good ones, at both consumers.
//!
//! `FUZZ_SEED` repeats a run. A message that the broker itself refuses does not count.

use std::collections::BTreeMap;
use std::env;

use fastrand::Rng;
use sqlx::PgPool;

use crate::common::generated::{bytes, readable, record, unreadable_or_not};
use crate::common::raw_kafka::RawRecord;
use crate::common::{QUEUE, Stage, TopicOfTest, amqp_header, eventually, parcel, record_all};

const SEED: u64 = 10;
/// Good ones, and as many others.
const MESSAGES: i64 = 100;

#[sqlx::test(migrations = false)]
async fn whatever_is_written_into_a_queue_good_messages_are_handled_and_bad_ones_are_dead_letters(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut rng = rng();
    let stage = Stage::new(&pool).await?;
    let consumer = stage.bus.queue(QUEUE).batch(20);
    let running = stage.start(|token| consumer.run("receive", record_all(), token));
    let subscription = stage.rabbitmq.consumer_tag(QUEUE).await?;
    let mut client = stage.rabbitmq.raw_client().await?;
    let mut expected = BTreeMap::new();
    let to = (&b""[..], QUEUE.as_bytes());
    for number in 0..MESSAGES {
        let good = serde_json::to_vec(&parcel("alice", number))?;
        assert!(client.publish(to, &readable(&mut rng), &good).await?);
        let bad = format!("bad {number}");
        if client
            .publish(to, &unreadable_or_not(&mut rng), bad.as_bytes())
            .await?
        {
            expected.insert(bad, 1);
        } else {
            client = stage.rabbitmq.raw_client().await?;
        }
    }
    assert!(expected.len() > 30, "the broker refuses nearly everything");

    let numbers: Vec<i64> = (0..MESSAGES).collect();
    let mut handled = stage.numbers_after(numbers.len()).await?;
    handled.sort_unstable();
    assert_eq!(handled, numbers);
    let body = |dead: &lapin::message::Delivery| String::from_utf8_lossy(&dead.data).into_owned();
    assert_eq!(dead_letters(&stage, expected.len(), body).await?, expected);
    assert_eq!(stage.rabbitmq.consumer_tag(QUEUE).await?, subscription);
    running.stop().await?;
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn whatever_is_written_into_a_topic_good_records_are_handled_and_bad_ones_are_dead_letters(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut rng = rng();
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(2).await?;
    let mut expected = BTreeMap::new();
    for number in 0..MESSAGES {
        let partition = rng.i32(0..2);
        let mut good = record(&mut rng);
        good.value = Some(serde_json::to_vec(&parcel("alice", number))?);
        send(&topic, partition, good).await?;
        let mut bad = record(&mut rng);
        bad.value = rng.bool().then(|| bytes(&mut rng, 40));
        let offset = send(&topic, partition, bad).await?;
        expected.insert(format!("{partition}/{offset}"), 1);
    }
    let consumer = stage.bus.topic(topic.topic).batch(20);
    let running = stage.start(|token| consumer.run("receive", record_all(), token));

    let numbers: Vec<i64> = (0..MESSAGES).collect();
    let mut handled = stage.numbers_after(numbers.len()).await?;
    handled.sort_unstable();
    assert_eq!(handled, numbers);
    let position = |dead: &lapin::message::Delivery| {
        let header = |name| amqp_header(&dead.properties, name);
        format!(
            "{}/{}",
            header("dead-letter-partition"),
            header("dead-letter-offset")
        )
    };
    assert_eq!(
        dead_letters(&stage, expected.len(), position).await?,
        expected
    );
    running.stop().await?;
    stage.end().await
}

/// How often each dead letter was found, once there are so many.
async fn dead_letters(
    stage: &Stage,
    count: usize,
    name: impl Fn(&lapin::message::Delivery) -> String,
) -> anyhow::Result<BTreeMap<String, u32>> {
    let count = u32::try_from(count)?;
    eventually("dead letters", async || {
        Ok((stage.rabbitmq.size("dead-letters").await? >= count).then_some(()))
    })
    .await?;
    let mut found = BTreeMap::new();
    for _ in 0..stage.rabbitmq.size("dead-letters").await? {
        let dead = stage.rabbitmq.dead_letter().await?.delivery;
        *found.entry(name(&dead)).or_default() += 1;
    }
    Ok(found)
}

fn rng() -> Rng {
    let seed = env::var("FUZZ_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or(SEED);
    println!("FUZZ_SEED={seed}");
    Rng::with_seed(seed)
}

async fn send(topic: &TopicOfTest, partition: i32, record: RawRecord) -> anyhow::Result<i64> {
    topic.send_raw(partition, &[record]).await
}
