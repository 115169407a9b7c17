//! The sentence says what is stuck, how long already, and when it goes on again.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use browser::{Look, Page, View, in_a_browser};
use harness::{SOON, Stack, eventually, wish};
use reqwest::Method;
use serde_json::Value;

use crate::ANYTHING;
use crate::support::{COMMANDS, frame, nothing_is_stuck, queue, sentence};

/// From what the broker says to the sentence.
const SEEN: Duration = Duration::from_secs(5);
/// How far two looks at an age may be apart from the time between them.
const ROUGHLY: Duration = Duration::from_secs(2);
/// A broker and everything behind it has to start first.
const AFTER_AN_OUTAGE: Duration = Duration::from_secs(90);

#[tokio::test]
async fn the_page_says_that_nobody_consumes_and_since_when() -> Result<()> {
    let stack = Stack::alone().await?;
    in_a_browser(Look::default(), async |page| {
        page.open(View::Flow).await?;
        nothing_is_stuck(&stack, SOON).await?;
        stack.compose.stop(&["inventory"]).await?;
        let order = stack.gateway.place(&wish(ANYTHING, 1)).await?;
        eventually("the broker says so", AFTER_AN_OUTAGE, async || {
            let path = format!("queues/{}/{COMMANDS}", stack.rabbitmq.vhost());
            let queue: Value = stack.rabbitmq.call(Method::GET, &path, None).await?;
            Ok((queue["consumers"] == 0).then_some(()))
        })
        .await?;
        let seen = Instant::now();
        let text = page
            .text_becomes("sentence-0", SEEN, |text| text.contains(COMMANDS))
            .await?;
        println!("after {:.1?}: {text}", seen.elapsed());
        says_it(&stack, "nobody-consumes", COMMANDS).await?;
        grows(&stack, Duration::from_secs(5)).await?;
        page.screenshot("nobody-consumes").await?;

        // A console that starts again knows no less.
        page.expect_failures();
        let before = age(&stack).await?;
        stack.compose.run(&["restart", "console"]).await?;
        says_it(&stack, "nobody-consumes", COMMANDS).await?;
        page.text_becomes("sentence-0", SOON, |text| text.contains(COMMANDS))
            .await?;
        let frame = frame(&stack).await?;
        let queue = queue(&frame, COMMANDS)?;
        let (after, at_least) = (age(&stack).await?, &queue["age_at_least"]);
        println!("{before:.1?} before the restart, {after:.1?} after it, at least: {at_least}");
        ensure!(after >= before || *at_least == true);
        grows(&stack, Duration::from_secs(3)).await?;

        stack.compose.start(&["inventory"]).await?;
        stack
            .gateway
            .reaches(order.id, "confirmed", AFTER_AN_OUTAGE)
            .await?;
        clears(&stack, page, COMMANDS).await
    })
    .await
}

#[tokio::test]
async fn the_page_says_that_a_broker_is_away_and_where_orders_wait() -> Result<()> {
    let stack = Stack::alone().await?;
    in_a_browser(Look::default(), async |page| {
        page.open(View::Flow).await?;
        nothing_is_stuck(&stack, SOON).await?;
        stack.compose.stop(&["rabbitmq"]).await?;
        let stopped = Instant::now();
        let text = page
            .text_becomes("sentence-0", SOON, |text| text.contains("RabbitMQ"))
            .await?;
        println!("after {:.1?}: {text}", stopped.elapsed());
        says_it(&stack, "broker-away", "RabbitMQ").await?;
        let order = stack.gateway.place(&wish(ANYTHING, 1)).await?;
        page.screenshot("broker-away").await?;

        stack.compose.start(&["rabbitmq"]).await?;
        stack
            .gateway
            .reaches(order.id, "confirmed", AFTER_AN_OUTAGE)
            .await?;
        clears(&stack, page, "RabbitMQ").await
    })
    .await
}

async fn says_it(stack: &Stack, reason: &str, subject: &str) -> Result<()> {
    eventually(
        format!("{subject}: {reason}"),
        AFTER_AN_OUTAGE,
        async || Ok(sentence(&frame(stack).await?, reason, subject).map(drop)),
    )
    .await
}

async fn age(stack: &Stack) -> Result<Duration> {
    let age = queue(&frame(stack).await?, COMMANDS)?["age_s"].as_f64();
    Ok(Duration::try_from_secs_f64(
        age.context("the age is not known")?,
    )?)
}

/// Waits until the age has grown by so much, which has to take as long.
async fn grows(stack: &Stack, by: Duration) -> Result<()> {
    let (start, first) = (Instant::now(), age(stack).await?);
    let grown = eventually("the age grows", by + SOON, async || {
        let grown = age(stack).await?.saturating_sub(first);
        Ok((grown >= by).then_some(grown))
    })
    .await?;
    let took = start.elapsed();
    ensure!(
        took.abs_diff(grown) <= ROUGHLY,
        "the age grew by {grown:?} in {took:?}"
    );
    Ok(())
}

async fn clears(stack: &Stack, page: &Page, subject: &str) -> Result<()> {
    nothing_is_stuck(stack, AFTER_AN_OUTAGE).await?;
    page.text_becomes("sentence", SOON, |text| {
        !text.is_empty() && !text.contains(subject)
    })
    .await
    .map(drop)
}
