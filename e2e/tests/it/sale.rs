//! A flash sale, asked for as the page asks.

use std::time::Duration;

use anyhow::{Result, ensure};
use harness::{SOON, Stack, eventually};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::overlay::up_with;

const SALE: &str = "/api/load";

#[tokio::test]
async fn a_flash_sale_places_orders_by_the_clock_until_it_ends_or_is_stopped() -> Result<()> {
    let stack = Stack::alone().await?;
    up_with(&stack, &[("load", &[("SPILLWAY_DEMO", "true")])]).await?;
    eventually("the service answers", SOON, async || {
        let answer = stack.gateway.get(SALE).await?;
        Ok((answer.body["demo"] == true).then_some(()))
    })
    .await?;

    start(&stack, 3).await?;
    let sale = sale_when(&stack, |sale| sale["running"] == false).await?;
    // On a busy machine one or the other may be refused.
    let placed = sale["placed"].as_u64().unwrap_or_default();
    assert!((55..=60).contains(&placed), "{sale}");

    start(&stack, 600).await?;
    sale_when(&stack, |sale| sale["placed"] != 0).await?;
    let stopped = timeout(Duration::from_secs(2), stack.gateway.delete(SALE)).await??;
    assert_eq!(stopped.status, 200, "{stopped:?}");
    assert_eq!(stopped.body["running"], false, "{stopped:?}");

    // So that they do not move the stock in other tests.
    eventually("no order is pending", SOON, async || {
        let pending = "/api/orders?status=pending&limit=1";
        let orders = stack.gateway.get(pending).await?.body;
        let is_empty = orders["orders"].as_array().map(Vec::is_empty);
        Ok((is_empty == Some(true)).then_some(()))
    })
    .await
}

async fn start(stack: &Stack, seconds: u32) -> Result<()> {
    let wish = json!({"rate_per_s": 20, "seconds": seconds, "by": "Ada"});
    let answer = stack.gateway.post(SALE, &wish).await?;
    ensure!(answer.status == 202, "{answer:?}");
    Ok(())
}

async fn sale_when(stack: &Stack, is_so: impl Fn(&Value) -> bool) -> Result<Value> {
    eventually("the sale is as expected", SOON, async || {
        let sale = stack.gateway.get(SALE).await?.body;
        Ok(is_so(&sale).then_some(sale))
    })
    .await
}
