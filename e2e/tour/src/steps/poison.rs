use anyhow::{Result, ensure};
use contracts::topology::{COMMANDS, DEAD_LETTER_QUEUE, STOCK_COMMANDS, STOCK_RESERVE};
use contracts::{Message, ReserveStock};
use harness::{cloud_event, eventually};

use crate::ground::{A_WHILE, address};
use crate::{Ground, Screen};

const NEIGHBOURS: usize = 10;
const POISON: &str = "{ this is no JSON";

pub(super) async fn run(ground: &Ground, screen: &Screen) -> Result<String> {
    let email = address();
    screen.act(&format!("POST /api/orders, {} times", NEIGHBOURS / 2));
    let mut orders = ground.burst(&email, NEIGHBOURS / 2).await?;

    let poison = cloud_event(ReserveStock::TYPE);
    screen.act(&format!("publish to {STOCK_COMMANDS}: {POISON}"));
    ground.poisoned(&poison.id);
    ground
        .rabbitmq
        .publish(COMMANDS.name, STOCK_RESERVE, poison.properties(), POISON)
        .await?;

    screen.act(&format!("POST /api/orders, {} times", NEIGHBOURS / 2));
    orders.extend(ground.burst(&email, NEIGHBOURS / 2).await?);
    ground.all_confirmed(&orders).await?;
    screen.fact(&format!("{} neighbours: confirmed", orders.len()));

    screen.act(&format!(
        "look into the queue {DEAD_LETTER_QUEUE}, and take it out"
    ));
    let letter = eventually("the dead letter", A_WHILE, async || {
        ground.broker.take_out(DEAD_LETTER_QUEUE, &poison.id).await
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
