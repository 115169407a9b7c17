use std::time::Instant;

use anyhow::{Context, Result, ensure};
use contracts::topology::STOCK_COMMANDS;
use harness::eventually;
use serde_json::Value;

use crate::ground::{A_WHILE, address};
use crate::{Ground, Screen};

const ORDERS: u16 = 500;

pub(super) async fn run(ground: &Ground, screen: &Screen) -> Result<String> {
    // Without the page there is nothing to look at.
    said(ground).await?;
    screen.act("docker compose stop inventory");
    ground.compose.stop(&["inventory"]).await?;

    screen.act(&format!("POST /api/orders, {ORDERS} times"));
    let orders = ground.burst(&address(), usize::from(ORDERS)).await?;
    let seen = Instant::now();
    let depth = eventually("the page says it", A_WHILE, async || {
        let depth = said(ground).await?;
        Ok(depth.filter(|depth| *depth >= u64::from(ORDERS)))
    })
    .await?;
    let seen = seen.elapsed();
    screen.fact(&format!(
        "the page: {STOCK_COMMANDS}: nobody consumes; {depth} waiting"
    ));

    screen.act("docker compose start inventory");
    let start = Instant::now();
    ground.start("inventory").await?;
    let over = eventually("the page says that it is over", A_WHILE, async || {
        let is_over = said(ground).await?.is_none();
        Ok(is_over.then(|| start.elapsed()))
    })
    .await?;
    ground.all_confirmed(&orders).await?;
    Ok(format!(
        "{ORDERS} orders waited; the page said {seen:.1?} after the last of them that nobody consumes, and \
         {over:.1?} after the start began that it is over."
    ))
}

/// How many commands wait for nobody, if the page says that they do.
async fn said(ground: &Ground) -> Result<Option<u64>> {
    let answer = ground.gateway.get("/api/console/frame").await?;
    ensure!(
        answer.status == 200,
        "the console does not answer: {answer:?}"
    );
    let sentences = answer.body["sentences"].as_array();
    let sentences = sentences.context("no sentences")?;
    let is_it =
        |one: &&Value| one["reason"] == "nobody-consumes" && one["subject"] == STOCK_COMMANDS;
    Ok(sentences
        .iter()
        .find(is_it)
        .and_then(|one| one["depth"].as_u64()))
}
