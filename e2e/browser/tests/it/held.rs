//! A partition that waits for one event: which one, and that the others go on.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use browser::{Look, View, in_a_browser};
use harness::{SOON, Stack, eventually, wish};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::ANYTHING;
use crate::support::{control, frame, nothing_is_stuck, sentence};

/// For so long every attempt fails, in seconds.
const FAILING: u64 = 12;
/// The last attempt may have failed a moment earlier, and the pause after it is longer.
const AFTER: Duration = Duration::from_secs(90);

#[tokio::test]
async fn the_page_says_for_which_event_a_partition_waits() -> Result<()> {
    let stack = Stack::quiet().await?;
    in_a_browser(Look::default(), async |page| {
        page.open(View::Flow).await?;
        nothing_is_stuck(&stack, SOON).await?;
        let failing = json!({"fail_percent": 100, "fail_kind": "transient"});
        control(&stack, "notification", FAILING, &failing).await?;
        let mut orders = vec![stack.gateway.place(&wish(ANYTHING, 1)).await?.id];
        let held = eventually("the partition is held", SOON, async || {
            let frame = frame(&stack).await?;
            let held = sentence(&frame, "retry", "order-events");
            let held = held.or_else(|| sentence(&frame, "held", "order-events"));
            let held = held.filter(|held| held["attempt"].is_u64()).cloned();
            let newest = orders.last().context("no order")?;
            if held.is_none() && was_told(&stack, *newest).await? {
                // It was quicker than the wish to fail; what follows of it may still be held.
                orders.push(stack.gateway.place(&wish(ANYTHING, 1)).await?.id);
            }
            Ok(held.map(|held| (frame["topics"].clone(), held)))
        });
        let (topics, held) = held.await?;
        println!("{held}");
        let order = held["order_id"].as_str().context("no order")?.parse()?;
        ensure!(orders.contains(&order), "{held}");
        ensure!(held["offset"].is_u64() && held["attempts"].is_u64());
        let partition = held["partition"].as_u64().context("no partition")?;
        others_go_on(&topics, partition, &orders)?;
        let place = format!("order-events/{partition}");
        page.text_becomes("sentence", SOON, |text| text.contains(&place))
            .await?;
        let attempt = format!("{} of {}", held["attempt"], held["attempts"]);
        page.text_becomes("sentence", SOON, |text| text.contains(" of "))
            .await?;
        println!("attempt {attempt}");
        page.screenshot("held").await?;

        nothing_is_stuck(&stack, AFTER).await?;
        let told = [
            ("order-placed", "push"),
            ("order-confirmed", "push"),
            ("order-confirmed", "email"),
        ];
        stack.gateway.told(order, &told).await.map(drop)
    })
    .await
}

async fn was_told(stack: &Stack, order: Uuid) -> Result<bool> {
    let path = format!("/api/notifications?order_id={order}");
    let told = stack.gateway.get(&path).await?;
    Ok(told.body.as_array().is_some_and(|told| !told.is_empty()))
}

/// One partition is held, and none waits but for an event of these orders.
fn others_go_on(topics: &Value, held: u64, orders: &[Uuid]) -> Result<()> {
    let topics = topics.as_array().context("no topics")?;
    let topic = topics.iter().find(|topic| topic["name"] == "order-events");
    let groups = topic.and_then(|topic| topic["groups"].as_array());
    let mut groups = groups.context("no groups")?.iter();
    let group = groups.find(|group| group["service"] == "notification");
    let partitions = group.and_then(|group| group["partitions"].as_array());
    let partitions = partitions.context("no partitions")?;
    ensure!(partitions.len() == 8, "{partitions:?}");
    for partition in partitions {
        let is_held = partition["partition"] == held;
        let waits = partition["lag"].as_u64().context("the lag is not known")? > 0;
        let head = partition["head_order"].as_str();
        let is_ours = head.is_some_and(|head| orders.iter().any(|order| order.to_string() == head));
        ensure!(waits == is_held || is_ours, "{partition}");
    }
    Ok(())
}
