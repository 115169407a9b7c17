//! A service that somebody has paused: all of its instances, for a time, by whom.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use browser::{Look, View, in_a_browser};
use harness::{SOON, Stack, eventually, wish};
use serde_json::json;

use crate::ANYTHING;
use crate::support::{COMMANDS, SOMEBODY, control, frame, nothing_is_stuck, queue, sentence, time};

/// Long enough for another instance to start, in seconds.
const LONG: u64 = 30;
const AFTER: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_service_is_paused_and_let_go_on_the_page() -> Result<()> {
    let stack = Stack::quiet().await?;
    in_a_browser(Look::default(), async |page| {
        page.open(View::Break).await?;
        page.fill("name", SOMEBODY).await?;
        page.press("control-inventory-pause").await?;
        page.press("control-inventory-apply").await?;
        consumers_become(&stack, 0).await?;
        page.text_becomes("active-inventory", SOON, |text| text.contains(SOMEBODY))
            .await?;
        page.press("end-inventory").await?;
        consumers_become(&stack, 1).await?;
        nothing_is_stuck(&stack, AFTER).await
    })
    .await
}

#[tokio::test]
async fn an_instance_that_starts_meanwhile_is_paused_as_well_and_all_resume_by_themselves()
-> Result<()> {
    let stack = Stack::alone().await?;
    in_a_browser(Look::default(), async |page| {
        page.open(View::Flow).await?;
        let paused = control(&stack, "inventory", LONG, &json!({"pause": true})).await?;
        let until = time(&paused["until"]).context("for how long?")?;
        consumers_become(&stack, 0).await?;
        says_who(&stack).await?;
        page.text_becomes("sentence", SOON, |text| text.contains(SOMEBODY))
            .await?;

        stack.compose.up(&[("inventory", 2)]).await?;
        instances_become(&stack, 2).await?;
        consumers_become(&stack, 0).await?;
        let order = stack.gateway.place(&wish(ANYTHING, 1)).await?;
        page.screenshot("paused").await?;

        stack.gateway.reaches(order.id, "confirmed", AFTER).await?;
        let now = time(&frame(&stack).await?["at"]).context("what time is it?")?;
        ensure!(now >= until, "decided at {now}, paused until {until}");
        consumers_become(&stack, 2).await?;
        nothing_is_stuck(&stack, AFTER).await?;
        ensure!(frame(&stack).await?["controls"] == json!([]));
        Ok(())
    })
    .await
}

async fn says_who(stack: &Stack) -> Result<()> {
    eventually("the sentence says who did it", SOON, async || {
        let frame = frame(stack).await?;
        let paused = sentence(&frame, "paused", "inventory");
        let is_said =
            |paused: &serde_json::Value| paused["by"] == SOMEBODY && paused["until"].is_string();
        Ok(paused.filter(|paused| is_said(paused)).map(drop))
    })
    .await
}

async fn consumers_become(stack: &Stack, number: u64) -> Result<()> {
    eventually(format!("{number} consume"), AFTER, async || {
        let frame = frame(stack).await?;
        Ok((queue(&frame, COMMANDS)?["consumers"] == number).then_some(()))
    })
    .await
}

async fn instances_become(stack: &Stack, number: usize) -> Result<()> {
    eventually(format!("{number} are connected"), AFTER, async || {
        let frame = frame(stack).await?;
        let services = frame["services"].as_array().context("no services")?;
        let inventory = services
            .iter()
            .find(|service| service["name"] == "inventory");
        let instances = inventory.and_then(|service| service["instances"].as_array());
        Ok(instances
            .filter(|instances| instances.len() == number)
            .map(drop))
    })
    .await
}
