//! Who reads what in Kafka: `cargo run -p first-programs --example consumer_group`

mod kafka;

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, Result};
use futures::future::try_join3;
use kafka::{Topic, consumer, receive};
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::{Offset, message::Message, producer::FutureRecord};
use tokio::time::timeout;

const PARTITIONS: i32 = 4;
const RECORDS: usize = 12;

#[tokio::main]
async fn main() -> Result<()> {
    let topic = Topic::create("consumer-group", PARTITIONS).await?;
    let done = show(&topic).await;
    topic.delete().await?;
    done
}

async fn show(topic: &Topic) -> Result<()> {
    // Whoever names the same `group.id` is a member of the same group, in whatever process it runs.
    let billing = consumer(topic, "billing")?;
    let shipping = [consumer(topic, "shipping")?, consumer(topic, "shipping")?];
    // Partitions are shared out while members poll. Whoever comes first has all of them at first.
    let shares = try_join3(has(&billing, 4), has(&shipping[0], 2), has(&shipping[1], 2));
    let settled = timeout(Duration::from_secs(30), shares).await;
    settled.context("the groups do not settle")??;

    // Usually the key of a record decides on its partition; here they are dealt out evenly.
    for (number, partition) in (1..=RECORDS).zip((0..PARTITIONS).cycle()) {
        let body = format!("order {number}");
        let record = FutureRecord::to(&topic.name).payload(&body);
        topic.send(record.partition(partition)).await?;
    }
    println!("sent {RECORDS} records to {PARTITIONS} partitions");

    // Each group has its own position in every partition, so groups take nothing from each other.
    read("billing, alone in its group", &billing, RECORDS).await?;
    // A partition has one reader in a group, which keeps its order. A fifth member would get none.
    read("shipping, first of two", &shipping[0], RECORDS / 2).await?;
    read("shipping, second of two", &shipping[1], RECORDS / 2).await?;

    // Reading removed nothing, and a position is only a bookmark.
    let mut position = billing.assignment()?;
    position.set_all_offsets(Offset::Beginning)?;
    billing.seek_partitions(position, Duration::from_secs(10))?;
    read("billing, from the beginning again", &billing, RECORDS).await
}

/// Polls until the member has so many partitions.
async fn has(member: &StreamConsumer, partitions: usize) -> Result<()> {
    while member.assignment()?.count() != partitions {
        // Nothing has been sent yet, so nothing is lost here.
        let _ = timeout(Duration::from_millis(100), member.recv()).await;
    }
    Ok(())
}

async fn read(who: &str, member: &StreamConsumer, count: usize) -> Result<()> {
    let mut partitions = BTreeSet::new();
    for _ in 0..count {
        partitions.insert(receive(member).await?.partition());
    }
    println!("{who}: {count} records from partitions {partitions:?}");
    Ok(())
}
