//! What happens can be counted: each service tells it at `/metrics`.

use anyhow::{Result, ensure};
use contracts::{Message, ReserveStock};
use harness::{SOON, Stack, cloud_event, eventually, wish};
use serde_json::json;
use uuid::Uuid;

use crate::ANYTHING;

/// What `inventory` has done at least once in this test: the metric, and part of its labels.
const COUNTED: [(&str, &str); 6] = [
    ("messaging_client_sent_messages_total", "stock-events"),
    (
        "messaging_client_operation_duration_seconds_count",
        "messaging_system=\"kafka\"",
    ),
    (
        "messaging_client_consumed_messages_total",
        "inventory.stock-commands",
    ),
    (
        "messaging_process_duration_seconds_count",
        "messaging_system=\"rabbitmq\"",
    ),
    ("spillway_inbox_duplicates_total", ""),
    ("spillway_dead_letters_total", ""),
];

/// What it says however much it is.
const MEASURED: [&str; 2] = ["spillway_outbox_rows", "spillway_outbox_oldest_seconds"];

#[tokio::test]
async fn what_happens_to_messages_is_counted() -> Result<()> {
    let stack = Stack::quiet().await?;
    stack
        .gateway
        .place_until(&wish(ANYTHING, 1), "confirmed")
        .await?;
    // A command that comes twice, and one that nobody can handle.
    let order = Uuid::now_v7();
    let command = json!({"order_id": order, "lines": [{"sku": "NO-SUCH-THING", "quantity": 1}]});
    let [twice, poison] = [(), ()].map(|()| cloud_event(ReserveStock::TYPE));
    for (event, body) in [
        (&twice, command.to_string()),
        (&twice, command.to_string()),
        (&poison, "{ this is no JSON".to_owned()),
    ] {
        stack
            .rabbitmq
            .publish("commands", "stock.reserve", event.properties(), &body)
            .await?;
    }
    stack.letters.with_ids(&[poison.id], SOON).await?;

    let mut missing = Vec::new();
    let counted = eventually("everything is counted", SOON, async || {
        let metrics = stack.compose.metrics("inventory", 1).await?;
        let is_missing = |(name, label): &&(&str, &str)| metrics.sum(name, label) <= 0.0;
        missing = COUNTED.iter().filter(is_missing).collect();
        let is_there = MEASURED.iter().all(|name| metrics.has(name));
        Ok((missing.is_empty() && is_there).then_some(()))
    });
    let counted = counted.await;
    ensure!(counted.is_ok(), "{counted:?}: {missing:?}");
    Ok(())
}
