use std::time::Instant;

use anyhow::{Result, ensure};
use contracts::topology::STOCK_COMMANDS;
use harness::eventually;

use crate::ground::{A_WHILE, address};
use crate::{Ground, Screen};

const ORDERS: usize = 3;
/// How many waiting commands fill the bar.
const FULL_BAR: u32 = 10;

pub(super) async fn run(ground: &Ground, screen: &Screen) -> Result<String> {
    screen.act("docker compose stop inventory");
    ground.compose.stop(&["inventory"]).await?;

    screen.act(&format!("POST /api/orders, {ORDERS} times"));
    let orders = ground.burst(&address(), ORDERS).await?;
    for id in &orders {
        let status = ground.gateway.order(*id).await?.status;
        ensure!(status == "pending", "{id} is {status} without inventory");
        screen.fact(&format!("202: {id} {status}"));
    }
    let waiting = eventually("the commands wait", A_WHILE, async || {
        let depth = ground.broker.depth(STOCK_COMMANDS).await?;
        Ok((usize::try_from(depth)? >= ORDERS).then_some(depth))
    })
    .await?;
    screen.bar(STOCK_COMMANDS, waiting, FULL_BAR);

    screen.act("docker compose start inventory");
    let start = Instant::now();
    ground.start("inventory").await?;
    ground.all_confirmed(&orders).await?;
    Ok(format!(
        "{ORDERS} orders were accepted while inventory was away, and {} confirmed {:.1?} after its start began.",
        orders.len(),
        start.elapsed()
    ))
}
