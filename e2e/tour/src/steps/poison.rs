use anyhow::{Result, ensure};
use contracts::topology::{COMMANDS, DEAD_LETTER_QUEUE, STOCK_COMMANDS, STOCK_RESERVE};
use contracts::{Message, ReserveStock};
use serde_json::json;
use uuid::Uuid;

use crate::ground::{A_WHILE, address};
use crate::{Ground, Screen};
use harness::eventually;

const NEIGHBOURS: usize = 10;
const POISON: &str = "{ this is no JSON";

pub(super) async fn run(ground: &Ground, screen: &Screen) -> Result<String> {
    let email = address();
    screen.act(&format!("POST /api/orders, {} times", NEIGHBOURS / 2));
    let mut orders = ground.burst(&email, NEIGHBOURS / 2).await?;

    let id = Uuid::now_v7().to_string();
    screen.act(&format!("publish to {STOCK_COMMANDS}: {POISON}"));
    ground.poisoned(&id);
    let properties = json!({"message_id": id, "type": ReserveStock::TYPE, "delivery_mode": 2});
    ground
        .rabbitmq
        .publish(COMMANDS.name, STOCK_RESERVE, properties, POISON)
        .await?;

    screen.act(&format!("POST /api/orders, {} times", NEIGHBOURS / 2));
    orders.extend(ground.burst(&email, NEIGHBOURS / 2).await?);
    ground.all_confirmed(&orders).await?;
    screen.fact(&format!("{} neighbours: confirmed", orders.len()));

    screen.act(&format!(
        "look into the queue {DEAD_LETTER_QUEUE}, and take it out"
    ));
    let letter = eventually("the dead letter", A_WHILE, async || {
        ground.broker.take_out(DEAD_LETTER_QUEUE, &id).await
    })
    .await?;
    screen.fact(&format!("from: {}", letter.queue));
    screen.fact(&format!("body: {}", letter.body));
    screen.fact(&format!("why:  {}", letter.reason));
    ensure!(letter.body == POISON, "another body: {}", letter.body);
    Ok(format!(
        "1 dead letter that says why, and {} of {NEIGHBOURS} neighbours confirmed.",
        orders.len()
    ))
}
