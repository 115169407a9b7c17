use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use contracts::topology::{ORDER_EVENTS, STOCK_EVENTS, STOCK_LEVELS, Topic};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers};
use rdkafka::{Message, Offset, TopicPartitionList};
use serde::Deserialize;

use crate::{Level, Observed, Record};
use harness::kafka_client;

/// Nothing for so long means that the broker is away.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn read(observed: &mut Observed) -> Result<()> {
    // The client blocks its thread.
    let (order_events, stock_events, levels) = tokio::task::spawn_blocking(|| {
        anyhow::Ok((
            everything(ORDER_EVENTS, record)?,
            everything(STOCK_EVENTS, record)?,
            everything(STOCK_LEVELS, level)?,
        ))
    })
    .await??;
    observed.order_events = order_events;
    observed.stock_events = stock_events;
    observed.levels = levels;
    Ok(())
}

/// Everything that a topic holds at present and that `read` knows, partition by partition in the
/// order of the offsets.
fn everything<T>(topic: Topic, read: impl Fn(&BorrowedMessage<'_>) -> Option<T>) -> Result<Vec<T>> {
    let mut config = kafka_client()?;
    config
        .set("group.id", "e2e")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true");
    let consumer: BaseConsumer = config.create()?;
    let mut start = TopicPartitionList::new();
    for partition in 0..topic.partitions {
        start.add_partition_offset(topic.name, partition, Offset::Beginning)?;
    }
    consumer.assign(&start)?;
    let mut unread: HashSet<i32> = (0..topic.partitions).collect();
    let mut found = Vec::new();
    while !unread.is_empty() {
        match consumer.poll(PATIENCE) {
            Some(Ok(message)) => {
                found
                    .extend(read(&message).map(|one| (message.partition(), message.offset(), one)));
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => drop(unread.remove(&partition)),
            Some(Err(error)) => return Err(error).context(topic.name),
            None => bail!("{} does not come to its end", topic.name),
        }
    }
    found.sort_unstable_by_key(|(partition, offset, _)| (*partition, *offset));
    Ok(found.into_iter().map(|(_, _, one)| one).collect())
}

#[derive(Deserialize)]
struct Event {
    order: Option<Versioned>,
}

#[derive(Deserialize)]
struct Versioned {
    version: i32,
}

/// A record about an order. Poison has no order as its key.
fn record(message: &BorrowedMessage<'_>) -> Option<Record> {
    let event: Event = serde_json::from_slice(message.payload()?).ok()?;
    Some(Record {
        id: header(message, "ce_id")?.parse().ok()?,
        message_type: header(message, "ce_type")?.to_owned(),
        partition: message.partition(),
        order_id: std::str::from_utf8(message.key()?).ok()?.parse().ok()?,
        version: event.order.map_or(0, |order| order.version),
    })
}

fn level(message: &BorrowedMessage<'_>) -> Option<(String, Level)> {
    let sku = String::from_utf8_lossy(message.key()?).into_owned();
    Some((sku, serde_json::from_slice(message.payload()?).ok()?))
}

fn header<'a>(message: &'a BorrowedMessage<'_>, name: &str) -> Option<&'a str> {
    let found = message
        .headers()?
        .iter()
        .find(|header| header.key == name)?;
    std::str::from_utf8(found.value?).ok()
}
