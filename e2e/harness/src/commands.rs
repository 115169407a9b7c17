use anyhow::Result;
use contracts::topology::STOCK_COMMANDS;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{SOON, Stack, eventually};

/// Takes the command of an order out of the queue, in which it waits for `inventory`.
pub async fn take_command(stack: &Stack, order: Uuid) -> Result<String> {
    let order = order.to_string();
    let path = format!("queues/{}/{STOCK_COMMANDS}/get", stack.rabbitmq.vhost());
    let take = json!({"count": 1, "ackmode": "ack_requeue_false", "encoding": "auto"});
    eventually("the command", SOON, async || {
        let take = Some(take.clone());
        let taken: Vec<Value> = stack.rabbitmq.call(Method::POST, &path, take).await?;
        let command = taken.first().and_then(|taken| taken["payload"].as_str());
        let command = command.filter(|command| command.contains(&order));
        Ok(command.map(str::to_owned))
    })
    .await
}
