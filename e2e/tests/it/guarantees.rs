//! What follows when a guarantee is given up: the same crash that does no harm otherwise.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use attacks::Guarantee;
use clap::ValueEnum;
use harness::{Order, Stack, eventually, wish};
use uuid::Uuid;

use crate::ANYTHING;
use crate::support::database::database;
use crate::support::help::values_of;
use crate::support::overlay::up_with;

const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn without_the_outbox_a_crash_loses_what_was_answered() -> Result<()> {
    an_order_is_lost("order", "outbox", "rabbitmq-taken").await
}

#[tokio::test]
async fn without_manual_acknowledgement_a_crash_loses_what_was_delivered() -> Result<()> {
    an_order_is_lost("inventory", "manual-ack", "inbox-claimed").await
}

#[tokio::test]
async fn without_the_inbox_a_crash_delivers_again_what_was_delivered() -> Result<()> {
    let stack = Stack::alone().await?;
    let settings = crash_without("inbox", "queue-committed");
    up_with(&stack, &[("notification", &settings)]).await?;
    let order = insist(&stack).await?;
    let mut notification = database("notification").await?;
    eventually("a second delivery", LIMIT, async || {
        let twice =
            "select exists(select from notifications where order_id = $1 and deliveries = 2)";
        let twice = sqlx::query_scalar(twice).bind(order.id);
        let is_there: bool = twice.fetch_one(&mut notification).await?;
        Ok(is_there.then_some(()))
    })
    .await?;
    stack
        .gateway
        .settle(order.id, "cancellation")
        .await
        .map(drop)
}

#[tokio::test]
async fn a_guarantee_is_given_up_for_demonstrations_only() -> Result<()> {
    let stack = Stack::shared().await?;
    let run = ["run", "--rm", "--no-deps", "-T"];
    let giving_up = [
        "--env",
        "SPILLWAY_DEMO=false",
        "--env",
        "SPILLWAY_WITHOUT=inbox",
    ];
    // The log is what the error shall show.
    let with_log = ["--entrypoint", "sh", "order", "-c", "exec order >&2"];
    let run = [&run[..], &giving_up, &with_log].concat();
    let refused = stack.compose.run(&run).await;
    let error = refused.err().context("it runs")?;
    ensure!(error.to_string().contains("SPILLWAY_DEMO=true"), "{error}");
    Ok(())
}

#[tokio::test]
async fn every_guarantee_can_be_given_up_under_attack() -> Result<()> {
    let stack = Stack::shared().await?;
    let known = values_of(&stack.compose, "--without").await?;
    let names = Guarantee::value_variants().iter();
    let names = names.filter_map(Guarantee::to_possible_value);
    let names: BTreeSet<_> = names.map(|name| name.get_name().to_owned()).collect();
    assert_eq!(names, known);
    Ok(())
}

/// An order whose message is lost waits for ever, while those behind it go on.
async fn an_order_is_lost(
    service: &str,
    guarantee: &'static str,
    point: &'static str,
) -> Result<()> {
    let stack = Stack::alone().await?;
    let settings = crash_without(guarantee, point);
    up_with(&stack, &[(service, &settings)]).await?;
    let lost = insist(&stack).await?;
    let marker = format!("/tmp/crash-point-{point}");
    eventually("the crash", LIMIT, async || {
        let look = ["exec", "-T", service, "ls", &marker];
        stack.compose.run(&look).await.map(Some)
    })
    .await?;

    let later = insist(&stack).await?;
    stack.gateway.reaches(later.id, "confirmed", LIMIT).await?;
    let lost = stack.gateway.order(lost.id).await?;
    ensure!(lost.status == "pending", "it was not lost: {lost:?}");
    // So that it does not wait in other tests.
    stack.gateway.settle(lost.id, "cancellation").await?;
    Ok(())
}

/// The settings of a process that gives up a guarantee and dies at this point.
fn crash_without(
    guarantee: &'static str,
    point: &'static str,
) -> [(&'static str, &'static str); 3] {
    [
        ("SPILLWAY_DEMO", "true"),
        ("SPILLWAY_WITHOUT", guarantee),
        ("CRASH_AT", point),
    ]
}

/// Places an order; when there is no answer, asks again with the same key.
async fn insist(stack: &Stack) -> Result<Order> {
    let (wish, key) = (wish(ANYTHING, 1), Uuid::now_v7().to_string());
    eventually("the order is accepted", LIMIT, async || {
        let answer = stack.gateway.post_once("/api/orders", &key, &wish).await?;
        ensure!(answer.status == 202, "{answer:?}");
        Ok(Some(serde_json::from_value(answer.body)?))
    })
    .await
}
