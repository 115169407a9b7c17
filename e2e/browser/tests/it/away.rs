//! Without the console everything else goes on, and with several of it, or of the page, as well.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use browser::{Look, View, in_a_browser};
use futures::future::try_join_all;
use harness::{Stack, eventually, wish};

use crate::ANYTHING;
use crate::support::frame;

/// How long orders may take that take a second when nothing is wrong.
const LIMIT: Duration = Duration::from_secs(60);
/// Two seconds are aimed at, and printed.
const STALE: Duration = Duration::from_secs(6);

#[tokio::test]
async fn orders_go_on_without_the_console_and_the_page_comes_back_by_itself() -> Result<()> {
    let stack = Stack::alone().await?;
    in_a_browser(Look::default(), async |page| {
        page.open(View::Flow).await?;
        page.run("window.isTheSame = true").await?;
        let with = orders_take(&stack).await?;
        page.expect_failures();
        stack.compose.stop(&["console"]).await?;
        let stopped = Instant::now();
        eventually("the page says that it is old", STALE, async || {
            page.look_for("stale").await.map(|found| found.map(drop))
        })
        .await?;
        println!("{:.1?} after the stop the page is stale", stopped.elapsed());
        page.screenshot("stale").await?;
        let without = orders_take(&stack).await?;
        println!("orders took {with:.1?} with the console and {without:.1?} without it");

        stack.compose.start(&["console"]).await?;
        let started = Instant::now();
        eventually("the page is fresh again", LIMIT, async || {
            let stale = page.look_for("stale").await?;
            Ok(stale.is_none().then_some(()))
        })
        .await?;
        println!("{:.1?} after the start it is fresh", started.elapsed());
        ensure!(page.run("return window.isTheSame").await? == true);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn eight_tabs_are_not_too_many() -> Result<()> {
    let stack = Stack::shared().await?;
    in_a_browser(Look::default(), async |page| {
        page.open(View::Flow).await?;
        for _ in 1..8 {
            page.new_tab().await?;
            page.open(View::Flow).await?;
        }
        let order = stack.gateway.place(&wish(ANYTHING, 1)).await?;
        for tab in page.tabs().await? {
            page.turn_to(&tab).await?;
            // A list is another request, for which there has to be a connection left.
            page.go(&format!("/#/orders?id={}", order.id)).await?;
            page.find(&format!("order-row-{}", order.id)).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn three_consoles_say_the_same() -> Result<()> {
    let stack = Stack::alone().await?;
    stack.compose.up(&[("console", 3)]).await?;
    let outcome = in_a_browser(Look::default(), async |page| {
        let order = stack
            .gateway
            .place_until(&wish(ANYTHING, 1), "confirmed")
            .await?;
        let mut seen = BTreeSet::new();
        eventually("all three have answered", LIMIT, async || {
            let instance = frame(&stack).await?["instance"].take();
            seen.insert(instance.as_str().context("no name")?.to_owned());
            Ok((seen.len() == 3).then_some(()))
        })
        .await?;
        for _ in 0..6 {
            page.open(View::Flow).await?;
            page.go(&format!("/#/orders?id={}", order.id)).await?;
            page.find(&format!("order-row-{}", order.id)).await?;
            page.leave().await?;
        }
        Ok(())
    });
    let outcome = outcome.await;
    stack.compose.up(&[("console", 1)]).await?;
    outcome
}

/// How long fifty orders take that are placed at once.
async fn orders_take(stack: &Stack) -> Result<Duration> {
    let start = Instant::now();
    let wishes: Vec<_> = (0..50).map(|_| wish(ANYTHING, 1)).collect();
    let orders = try_join_all(wishes.iter().map(|wish| stack.gateway.place(wish))).await?;
    let decided = orders
        .iter()
        .map(|order| stack.gateway.reaches(order.id, "confirmed", LIMIT));
    try_join_all(decided).await?;
    Ok(start.elapsed())
}
