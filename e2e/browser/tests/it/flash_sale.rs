//! A flash sale, started and stopped on the page, and how the queue takes it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use browser::{Look, Page, View, in_a_browser};
use futures::future::join;
use harness::{SOON, Stack, eventually, wish};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};

use crate::ANYTHING;
use crate::support::{COMMANDS, SOMEBODY, call, control, frame, queue, release, time};

/// Orders a second, of the sale and before it.
const SALE: u32 = 60;
const BEFORE: u32 = 4;
/// How long the sale takes, in seconds.
const LONG: u32 = 12;
/// One instance takes about 30 orders a second then, so the sale has to wait, however quick the machine is.
const SLOW: Duration = Duration::from_millis(33);
/// All that is waited for, and the drain of the whole sale.
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_page_shows_how_the_queue_takes_a_flash_sale() -> Result<()> {
    let stack = Stack::quiet().await?;
    in_a_browser(Look::default(), async |page| {
        page.open(View::Peak).await?;
        let before = usual_arrival(&stack).await?;
        let slow = json!({"slow_ms": SLOW.as_millis()});
        control(&stack, "inventory", 120, &slow).await?;
        start(page, SALE, LONG).await?;

        let (rate, _) = join(peak_of_arrival(&stack), grows(&stack, page)).await;
        let rate = rate?;
        println!("arrival: {before:.1}/s before, {rate:.1}/s in the sale");
        ensure!(rate >= 5.0 * before);
        drains_as_foreseen(&stack, page).await?;
        release(&stack, "inventory").await
    })
    .await
}

#[tokio::test]
async fn a_flash_sale_is_stopped_on_the_page() -> Result<()> {
    let stack = Stack::quiet().await?;
    in_a_browser(Look::default(), async |page| {
        page.open(View::Peak).await?;
        start(page, 20, 120).await?;
        eventually("the sale runs", SOON, async || {
            Ok((sale(&stack).await?["placed"].as_u64() > Some(20)).then_some(()))
        })
        .await?;
        page.press("flash-stop").await?;
        let stopped = Instant::now();
        eventually("the sale is over", SOON, async || {
            Ok((sale(&stack).await?["running"] == false).then_some(()))
        })
        .await?;
        println!("stopped after {:.1?}", stopped.elapsed());
        let placed = sale(&stack).await?["placed"].clone();
        page.press("flash-start")
            .await
            .context("there can be another sale")?;
        page.press("flash-stop").await?;
        ensure!(placed.as_u64() < Some(20 * 60), "{placed}");
        Ok(())
    })
    .await
}

async fn start(page: &Page, rate: u32, seconds: u32) -> Result<()> {
    page.fill("flash-rate", rate).await?;
    page.fill("flash-seconds", seconds).await?;
    page.fill("name", SOMEBODY).await?;
    page.press("flash-start").await
}

async fn sale(stack: &Stack) -> Result<Value> {
    call(stack, Method::GET, "/api/load", None).await
}

/// Places a few orders, as before any sale, and returns how many a second the console sees.
async fn usual_arrival(stack: &Stack) -> Result<f64> {
    let mut ticks = interval(Duration::from_secs(1) / BEFORE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut seen = Vec::new();
    for _ in 0..BEFORE * 8 {
        ticks.tick().await;
        stack.gateway.place(&wish(ANYTHING, 1)).await?;
        seen.extend(frame(stack).await?["peak"]["in_per_s"].as_f64());
    }
    // At first there was nothing.
    let later = seen.get(seen.len() / 2..).context("no rate")?;
    let number = u32::try_from(later.len())?;
    ensure!(number > 0, "no rate is seen");
    Ok(later.iter().sum::<f64>() / f64::from(number))
}

async fn peak_of_arrival(stack: &Stack) -> Result<f64> {
    let mut most: f64 = 0.0;
    eventually("the sale is over", LIMIT, async || {
        most = most.max(
            frame(stack).await?["peak"]["in_per_s"]
                .as_f64()
                .unwrap_or_default(),
        );
        let sale = sale(stack).await?;
        let is_over = sale["running"] == false && sale["placed"].as_u64() > Some(0);
        Ok(is_over.then_some(()))
    })
    .await?;
    Ok(most)
}

/// Waits until the page shows that more and more orders wait longer and longer.
async fn grows(stack: &Stack, page: &Page) -> Result<()> {
    eventually("depth and age rise", LIMIT, async || {
        let peak = &frame(stack).await?["peak"];
        let is_high = peak["depth"].as_u64() > Some(50) && peak["age_s"].as_f64() > Some(1.0);
        Ok(is_high.then_some(()))
    })
    .await?;
    let forecast = page
        .text_becomes("forecast", SOON, |text| text.contains("/s"))
        .await?;
    let (depth, age) = (page.text("peak-depth").await?, page.text("peak-age").await?);
    println!("in the sale: {depth}, {age}, {forecast}");
    page.screenshot("sale").await?;
    Ok(())
}

/// Takes the forecast when half of what waited is done, and looks whether it comes true.
async fn drains_as_foreseen(stack: &Stack, page: &Page) -> Result<()> {
    let mut most = depth(stack).await?;
    let half = eventually("half is done", LIMIT, async || {
        let now = depth(stack).await?;
        most = most.max(now);
        Ok((now <= most / 2).then(Instant::now))
    })
    .await?;
    let foreseen = eventually("a forecast", SOON, async || {
        let frame = frame(stack).await?;
        let forecast = &frame["peak"]["forecast"];
        let (now, empty) = (time(&frame["at"]), time(&forecast["empty_at"]));
        Ok(now.zip(empty).map(|(now, empty)| empty.duration_since(now)))
    })
    .await?;
    let foreseen = half.elapsed() + foreseen.unsigned_abs();
    page.text_becomes("forecast", SOON, |text| text.contains(':'))
        .await?;
    eventually("nothing waits", LIMIT, async || {
        Ok((depth(stack).await? == 0).then_some(()))
    })
    .await?;
    let took = half.elapsed();
    println!("at half of {most} it was to take {foreseen:.1?}, and it took {took:.1?}");
    let wrong = took.abs_diff(foreseen);
    // Thirty per cent are aimed at; what is known of the queue may be a second or two old.
    ensure!(wrong < took / 2 + Duration::from_secs(3), "{wrong:?} wrong");
    page.text_becomes("peak-depth", SOON, |text| text.starts_with("0 "))
        .await?;
    Ok(())
}

async fn depth(stack: &Stack) -> Result<u64> {
    let frame = frame(stack).await?;
    queue(&frame, COMMANDS)?["depth"]
        .as_u64()
        .context("the depth is not known")
}
