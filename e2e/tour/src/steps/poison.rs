use anyhow::{Context, Result, ensure};
use contracts::topology::{COMMANDS, STOCK_COMMANDS, STOCK_RESERVE};
use contracts::{Message, ReserveStock};
use harness::cloud_event;

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

    let ids = std::slice::from_ref(&poison.id);
    let letters = ground.letters.with_ids(ids, A_WHILE).await?;
    let letter = letters.first().context("no dead letter")?;
    screen.act(&format!("./dev letters show {}", letter.id));
    let body = ground.letters.body(letter.id).await?;
    let body = String::from_utf8_lossy(&body);
    screen.fact(&format!("from: {}", letter.consumer));
    screen.fact(&format!("body: {body}"));
    screen.fact(&format!("why:  {}", letter.reason));
    ensure!(body == POISON, "another body: {body}");
    Ok(format!(
        "1 dead letter that says why, and {} of {NEIGHBOURS} neighbours confirmed.",
        orders.len()
    ))
}
