//! Messages that come again, with the ids that they had.

use anyhow::Result;
use contracts::topology::{ORDER_EVENTS, PRODUCTS, STOCK_EVENTS};
use harness::{Management, eventually, read_all};
use rdkafka::Offset;
use reqwest::Method;
use serde_json::{Value, json};

use super::Reached;
use super::brokers::SOON;
use crate::Arena;

/// What is tapped, and by which routing keys. Payment deadlines are not, because the default exchange,
/// by which they go to their queue, has no further bindings.
const EXCHANGES: [(&str, &[&str]); 2] = [
    (
        "commands",
        &["stock.reserve", "stock.release", "stock.sell"],
    ),
    ("notifications", &["#"]),
];
/// The queue that taps, which expires by itself when it is forgotten.
const TAP: &str = "chaos.tap";
/// So many messages of it come again.
const MESSAGES: u32 = 100;
/// A topic's last records that are written again.
const RECORDS: i64 = 20;

/// A queue that gets a copy of everything that goes through the exchanges.
pub(crate) struct Tap {
    /// Not when the broker was away.
    is_there: bool,
}

impl Arena {
    pub(super) async fn tap(&self) -> Result<Tap> {
        let is_there = open_tap(&self.rabbitmq).await.is_ok();
        Ok(Tap { is_there })
    }

    /// A broker that is away gets nothing again.
    pub(super) async fn send_again(&self, tap: Tap) -> Result<Reached> {
        let mut reached = Reached::default();
        if tap.is_there {
            let published = publish_again(&self.rabbitmq).await;
            reached.rabbitmq = published.is_ok_and(|messages| messages > 0);
        }
        for topic in [ORDER_EVENTS, STOCK_EVENTS, PRODUCTS] {
            // The client blocks its thread.
            let last = tokio::task::spawn_blocking(move || {
                read_all(topic, Offset::OffsetTail(RECORDS), |record| {
                    Some(record.detach())
                })
            })
            .await?;
            for record in last.unwrap_or_default() {
                reached.kafka |= self.topics.write_again(&record).await.is_ok();
            }
        }
        Ok(reached)
    }

    /// A tap that was left open would count as a queue in which messages were left behind.
    pub(crate) async fn remove_tap(&self) -> Result<()> {
        eventually("nothing is tapped", SOON, async || {
            let queues: Vec<Value> = self.rabbitmq.queues().await?;
            if queues.iter().any(|queue| queue["name"] == TAP) {
                close_tap(&self.rabbitmq).await?;
            }
            Ok(Some(()))
        })
        .await
    }
}

async fn open_tap(rabbitmq: &Management) -> Result<()> {
    let arguments = json!({
        "x-queue-type": "classic", "x-expires": 60_000,
        "x-max-length": MESSAGES, "x-overflow": "drop-head",
    });
    let queue = json!({"durable": true, "auto_delete": false, "arguments": arguments});
    let path = format!("queues/{}/{TAP}", rabbitmq.vhost());
    rabbitmq
        .call::<Value>(Method::PUT, &path, Some(queue))
        .await?;
    for (exchange, keys) in EXCHANGES {
        for key in keys {
            let path = format!("bindings/{}/e/{exchange}/q/{TAP}", rabbitmq.vhost());
            rabbitmq
                .call::<Value>(Method::POST, &path, Some(json!({"routing_key": key})))
                .await?;
        }
    }
    Ok(())
}

/// What the tap has caught goes through its exchange once more, and the tap is gone. Returns how
/// much that was before the broker went away.
async fn publish_again(rabbitmq: &Management) -> Result<usize> {
    let path = format!("queues/{}/{TAP}/get", rabbitmq.vhost());
    let take = json!({"count": MESSAGES, "ackmode": "ack_requeue_false", "encoding": "auto"});
    let caught = rabbitmq.call(Method::POST, &path, Some(take)).await;
    close_tap(rabbitmq).await?;
    let caught: Vec<Value> = caught?;
    let mut published = 0;
    for message in caught {
        let exchange = message["exchange"].as_str().unwrap_or_default();
        let path = format!("exchanges/{}/{exchange}/publish", rabbitmq.vhost());
        let again = rabbitmq.call::<Value>(Method::POST, &path, Some(message));
        if again.await.is_err() {
            break;
        }
        published += 1;
    }
    Ok(published)
}

async fn close_tap(rabbitmq: &Management) -> Result<()> {
    let path = format!("queues/{}/{TAP}", rabbitmq.vhost());
    rabbitmq
        .call::<Value>(Method::DELETE, &path, None)
        .await
        .map(drop)
}
