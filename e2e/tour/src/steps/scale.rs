use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use harness::eventually;

use crate::ground::{A_WHILE, address};
use crate::{Ground, Screen};

const INSTANCES: usize = 4;
const ROUND: usize = 100;
const CONSUMED: &str = "messaging_client_consumed_messages_total";

pub(super) async fn run(ground: &Ground, screen: &Screen) -> Result<String> {
    screen.act(&format!(
        "docker compose up -d --scale inventory={INSTANCES}"
    ));
    ground.compose.up(&[("inventory", INSTANCES)]).await?;
    let before = handled(ground).await?;
    ensure!(before.len() == INSTANCES, "{} instances", before.len());

    screen.act(&format!(
        "POST /api/orders, {ROUND} at a time until everybody has had some"
    ));
    let (email, mut orders) = (address(), Vec::new());
    // Whoever is quick enough could do all of one round, so there may have to be another one.
    let shares = eventually("every instance has worked", A_WHILE, async || {
        let round = ground.burst(&email, ROUND).await?;
        ground.all_confirmed(&round).await?;
        orders.extend(round);
        let shares = shares(&before, &handled(ground).await?);
        Ok(shares.values().all(|share| *share > 0).then_some(shares))
    })
    .await?;

    let most = shares.values().copied().max().unwrap_or_default();
    for (number, share) in &shares {
        screen.bar(&format!("inventory-{number}"), *share, most);
        screen.keep_bar();
    }
    let sum: u32 = shares.values().sum();
    let shares: Vec<_> = shares.values().map(u32::to_string).collect();
    Ok(format!(
        "{} orders, {sum} commands, shared by {INSTANCES} instances: {}.",
        orders.len(),
        shares.join(" + ")
    ))
}

/// How many commands each instance has handled since it was started, as its `/metrics` says.
async fn handled(ground: &Ground) -> Result<BTreeMap<u32, u32>> {
    let mut handled = BTreeMap::new();
    for number in ground.compose.containers("inventory").await?.into_keys() {
        let metrics = ground.compose.metrics("inventory", number).await?;
        let count = metrics.sum(CONSUMED, "inventory.stock-commands");
        // The sum of nothing has a minus in front.
        handled.insert(number, format!("{:.0}", count.abs()).parse()?);
    }
    Ok(handled)
}

fn shares(before: &BTreeMap<u32, u32>, after: &BTreeMap<u32, u32>) -> BTreeMap<u32, u32> {
    let share = |(number, count): (&u32, &u32)| {
        let before = before.get(number).copied().unwrap_or_default();
        (*number, count.saturating_sub(before))
    };
    after.iter().map(share).collect()
}
