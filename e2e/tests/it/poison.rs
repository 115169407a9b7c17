//! Messages that cannot be handled end as dead letters, and everything beside them goes on.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use contracts::topology::STOCK_EVENTS;
use contracts::{Message, ReserveStock, StockRefused};
use harness::{SOON, Stack, TopicReader, TopicWriter, cloud_event, eventually, wish};
use serde_json::json;
use uuid::Uuid;

use crate::ANYTHING;

const LIMIT: Duration = Duration::from_secs(30);

const UNKNOWN_TYPE: &str = "spillway.turn-lead-into-gold.v1";

/// What is wrong with a message: its type, its body, and what the reason must mention.
const POISON: [(&str, &str, &str); 4] = [
    ("TYPE", "{ this is no JSON", "malformed"),
    ("TYPE", r#"{"neither":"this","nor":"that"}"#, "malformed"),
    (UNKNOWN_TYPE, "{}", "unknown message type"),
    ("NEXT", "{}", "unsupported version"),
];

#[tokio::test]
async fn a_poisonous_command_becomes_a_dead_letter() -> Result<()> {
    let stack = Stack::quiet().await?;
    let mut ids = Vec::new();
    for (message_type, body, _) in POISON {
        let message_type = real_type(message_type, "spillway.reserve-stock");
        let event = cloud_event(&message_type);
        let mut properties = event.properties();
        properties["headers"] = json!({
            "cloudEvents_id": event.id, "cloudEvents_type": message_type, "cloudEvents_source": "e2e",
            "cloudEvents_specversion": "1.0", "x-of-the-sender": "kept",
        });
        stack
            .rabbitmq
            .publish("commands", "stock.reserve", properties, body)
            .await?;
        ids.push(event.id);
    }
    stack
        .gateway
        .place_until(&wish(ANYTHING, 1), "confirmed")
        .await?;

    let letters = stack.letters.with_ids(&ids, LIMIT).await?;
    for (id, (_, body, reason)) in ids.iter().zip(POISON) {
        let letter = letters
            .iter()
            .find(|letter| letter.is_of(id))
            .context("lost")?;
        assert_eq!(stack.letters.body(letter.id).await?, body.as_bytes());
        assert_eq!(letter.header("x-of-the-sender"), "kept");
        assert_eq!(
            letter.header("dead-letter-queue"),
            "inventory.stock-commands"
        );
        assert_eq!(letter.header("dead-letter-service"), "inventory");
        let found = letter.header("dead-letter-reason").to_string();
        ensure!(found.contains(reason), "expected {reason}, found {found}");
    }
    Ok(())
}

#[tokio::test]
async fn a_poisonous_order_event_becomes_a_dead_letter() -> Result<()> {
    poison_topic("order-events", "spillway.order-placed", "notification").await
}

#[tokio::test]
async fn a_poisonous_stock_event_becomes_a_dead_letter() -> Result<()> {
    poison_topic("stock-events", "spillway.stock-reserved", "order").await
}

#[tokio::test]
async fn a_nonsensical_command_is_answered() -> Result<()> {
    let stack = Stack::shared().await?;
    let events = TopicReader::follow(STOCK_EVENTS)?;
    let mut unanswered = Vec::new();
    for lines in [
        json!([{"sku": "NO-SUCH-THING", "quantity": 1}]),
        json!([{"sku": ANYTHING, "quantity": -5}]),
        json!([{"sku": ANYTHING, "quantity": 3_000_000_000_i64}]),
        json!([]),
    ] {
        let order = Uuid::now_v7();
        let properties = cloud_event(ReserveStock::TYPE).properties();
        let body = json!({"order_id": order, "lines": lines}).to_string();
        stack
            .rabbitmq
            .publish("commands", "stock.reserve", properties, &body)
            .await?;
        unanswered.push(order.to_string());
    }
    eventually("every command is refused", SOON, async || {
        while let Some(event) = events.next(Duration::ZERO) {
            if event.message_type == StockRefused::TYPE {
                unanswered.retain(|order| *order != event.key);
            }
        }
        Ok(unanswered.is_empty().then_some(()))
    })
    .await
}

/// Puts poison into every partition, so that whichever one an order uses must get over it.
async fn poison_topic(topic: &str, known: &str, service: &str) -> Result<()> {
    let stack = Stack::quiet().await?;
    let writer = TopicWriter::connect()?;
    let (mut written, mut foreign) = (Vec::new(), Vec::new());
    for partition in 0..8 {
        // Facts are for whoever cares: a type that nobody here knows is left to others.
        let event = cloud_event(UNKNOWN_TYPE);
        let place = (topic, partition);
        writer
            .write(place, "foreign", &event.headers(), b"{}")
            .await?;
        foreign.push(event.id);

        let mut known_types = POISON.iter().filter(|(of, ..)| *of != UNKNOWN_TYPE);
        let nth = usize::try_from(partition)? % (POISON.len() - 1);
        let (message_type, body, reason) = *known_types.nth(nth).context("no such poison")?;
        let message_type = real_type(message_type, known);
        let event = cloud_event(&message_type);
        let headers = [&event.headers()[..], &[("x-of-the-sender", "kept")]].concat();
        let offset = writer
            .write((topic, partition), "poison", &headers, body.as_bytes())
            .await?;
        written.push((event.id, partition, offset, body, reason));
    }
    let order = stack
        .gateway
        .place_until(&wish(ANYTHING, 1), "confirmed")
        .await?;
    let told = ["order-placed", "order-confirmed", "order-confirmed"]
        .into_iter()
        .zip(["push", "push", "email"]);
    stack
        .gateway
        .told(order.id, &told.collect::<Vec<_>>())
        .await?;

    let ids: Vec<_> = written.iter().map(|(id, ..)| id.clone()).collect();
    let letters = stack.letters.with_ids(&ids, LIMIT).await?;
    // The foreign records come before the others, so by now they would be there as well.
    let dead = stack.letters.all().await?;
    let is_dead = |id: &&String| dead.iter().any(|letter| letter.is_of(id));
    let dead_foreign: Vec<_> = foreign.iter().filter(is_dead).collect();
    ensure!(dead_foreign.is_empty(), "{dead_foreign:?}");
    for (id, partition, offset, body, reason) in written {
        let letter = letters
            .iter()
            .find(|letter| letter.is_of(&id))
            .context("lost")?;
        assert_eq!(stack.letters.body(letter.id).await?, body.as_bytes());
        assert_eq!(letter.header("x-of-the-sender"), "kept");
        assert_eq!(letter.header("dead-letter-topic"), topic);
        assert_eq!(letter.header("dead-letter-partition"), partition);
        assert_eq!(letter.header("dead-letter-offset"), offset);
        assert_eq!(
            letter.header("dead-letter-consumer-group"),
            format!("{service}.{topic}")
        );
        assert_eq!(letter.header("dead-letter-key"), "poison");
        let found = letter.header("dead-letter-reason").to_string();
        ensure!(found.contains(reason), "expected {reason}, found {found}");
    }
    Ok(())
}

fn real_type(placeholder: &str, known: &str) -> String {
    match placeholder {
        "TYPE" => format!("{known}.v1"),
        "NEXT" => format!("{known}.v999"),
        other => other.to_owned(),
    }
}
