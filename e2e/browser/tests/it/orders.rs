//! One order, found and followed.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use browser::{Look, View, in_a_browser};
use futures::future::try_join_all;
use harness::{SOON, Stack, wish};
use uuid::Uuid;

use crate::ANYTHING;

/// Spans are sent in batches, and the console stores them in batches too.
const FOLLOWED: Duration = Duration::from_secs(30);

#[tokio::test]
async fn an_order_is_found_by_its_customer_and_by_its_id() -> Result<()> {
    let stack = Stack::shared().await?;
    in_a_browser(Look::default(), async |page| {
        let wish = wish(ANYTHING, 1);
        let placed = stack.gateway.place_until(&wish, "confirmed").await?;
        let email = wish["customer"]["email"].as_str().context("no address")?;
        let row = format!("order-row-{}", placed.id);
        for (field, text) in [("email", email), ("id", &placed.id.to_string())] {
            page.open(View::Orders).await?;
            page.fill(&format!("orders-search-{field}"), text).await?;
            page.press("orders-search-submit").await?;
            page.find(&row).await?;
            let rows = "return document.querySelectorAll('[data-testid^=order-row-]').length";
            harness::eventually("no other is found", SOON, async || {
                Ok((page.run(rows).await? == 1).then_some(()))
            })
            .await?;
            page.leave().await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_order_is_placed_on_the_page_and_followed_through_both_brokers() -> Result<()> {
    let _stack = Stack::shared().await?;
    in_a_browser(Look::default(), async |page| {
        page.open(View::Orders).await?;
        let email = format!("{}@e2e.example", Uuid::now_v7().simple());
        page.fill("follow-email", email).await?;
        // The page may ask for the order before the console has heard of it.
        page.expect_failures();
        page.press("follow-order").await?;
        // What Kafka says of all orders, and what the spans say of this one.
        for part in ["order-events", "stock-events", "inventory.stock-commands"] {
            let text = page
                .text_becomes("timeline", FOLLOWED, |text| text.contains(part))
                .await;
            text.with_context(|| format!("no {part}"))?;
        }
        page.screenshot("order").await.map(drop)
    })
    .await
}

#[tokio::test]
async fn pages_of_orders_are_turned_and_do_not_move_when_more_arrive() -> Result<()> {
    let stack = Stack::shared().await?;
    let wishes: Vec<_> = (0..60).map(|_| wish(ANYTHING, 1)).collect();
    try_join_all(wishes.iter().map(|wish| stack.gateway.place(wish))).await?;
    in_a_browser(Look::default(), async |page| {
        page.open(View::Orders).await?;
        let rows = "return [...document.querySelectorAll('[data-testid^=order-row-]')].map(row => row.dataset.testid)";
        let first = harness::eventually("orders are shown", SOON, async || {
            let shown = page.run(rows).await?;
            Ok(shown[0].is_string().then_some(shown))
        })
        .await?;
        let newest = first[0].as_str().context("no order")?;
        stack.gateway.place_until(&wish(ANYTHING, 1), "confirmed").await?;
        page.find("orders-new").await.context("nothing says that there is more")?;
        ensure!(page.run(rows).await? == first, "rows have moved");

        let start = Instant::now();
        page.press("orders-older").await?;
        harness::eventually("the next page", SOON, async || {
            let now = page.run(rows).await?;
            Ok(now[0].as_str().filter(|now| *now != newest).map(drop))
        })
        .await?;
        println!("a page was turned in {:.1?}", start.elapsed());
        Ok(())
    })
    .await
}
