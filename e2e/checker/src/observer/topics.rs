use anyhow::Result;
use contracts::topology::{ORDER_EVENTS, STOCK_EVENTS, STOCK_LEVELS};
use harness::{header, read_all};
use rdkafka::Message;
use rdkafka::Offset::Beginning;
use rdkafka::message::BorrowedMessage;
use serde::Deserialize;

use crate::{Level, Observed, Record};

pub(super) async fn read(observed: &mut Observed) -> Result<()> {
    // The client blocks its thread.
    let (order_events, stock_events, levels) = tokio::task::spawn_blocking(|| {
        anyhow::Ok((
            read_all(ORDER_EVENTS, Beginning, record)?,
            read_all(STOCK_EVENTS, Beginning, record)?,
            read_all(STOCK_LEVELS, Beginning, level)?,
        ))
    })
    .await??;
    observed.order_events = order_events;
    observed.stock_events = stock_events;
    observed.levels = levels;
    Ok(())
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
    let order_id = std::str::from_utf8(message.key()?).ok()?.parse().ok()?;
    let event: Event = serde_json::from_slice(message.payload()?).ok()?;
    Some(Record {
        id: header(message, "ce_id")?.parse().ok()?,
        message_type: header(message, "ce_type")?.to_owned(),
        partition: message.partition(),
        order_id,
        version: event.order.map_or(0, |order| order.version),
    })
}

fn level(message: &BorrowedMessage<'_>) -> Option<(String, Level)> {
    let sku = String::from_utf8_lossy(message.key()?).into_owned();
    Some((sku, serde_json::from_slice(message.payload()?).ok()?))
}
