//! The console keeps what could not be handled; there it is looked at, mended, sent again or discarded.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use contracts::topology::{COMMANDS, STOCK_COMMANDS, STOCK_RESERVE};
use contracts::{Message, ReserveStock};
use harness::{Letter, SOON, Stack, cloud_event, eventually, take_command, wish};
use serde_json::{Value, json};

use crate::ANYTHING;
use crate::support::command_line::succeeded;
use crate::support::unreadable::{HEX, NO_TEXT, unreadable, without_gaps};

/// A service may have to start first, and spans come every few seconds.
const LIMIT: Duration = Duration::from_secs(60);
const BY: &str = "Ada";

#[tokio::test]
async fn a_dead_letter_says_where_and_why_and_keeps_every_byte() -> Result<()> {
    let stack = Stack::shared().await?;
    let letter = unreadable(&stack).await?;
    assert_eq!(letter.state, "open");
    assert_eq!(letter.service.as_deref(), Some("inventory"));
    assert_eq!(letter.consumer, STOCK_COMMANDS);
    assert_eq!(letter.target.as_deref(), Some(STOCK_COMMANDS));
    assert_eq!(letter.source["kind"], "queue");
    assert_eq!(letter.source["queue"], STOCK_COMMANDS);
    assert_eq!(letter.source["routing_key"], STOCK_COMMANDS);
    ensure!(letter.reason.contains("malformed"), "{letter:?}");
    assert_eq!(letter.header("x-of-the-sender"), "kept");
    assert_eq!(letter.header("dead-letter-queue"), STOCK_COMMANDS);
    assert_eq!(letter.size, u64::try_from(NO_TEXT.len())?);
    assert_eq!(stack.letters.body(letter.id).await?, NO_TEXT);

    let path = format!("/api/console/letters/{}", letter.id);
    let shown = stack.gateway.get(&path).await?.body;
    assert_eq!(shown["body"]["text"], Value::Null);
    let shown = shown["body"]["hex"].as_str().context("no hex")?;
    assert_eq!(without_gaps(shown), HEX);
    Ok(())
}

#[tokio::test]
async fn a_dead_letter_is_discarded_for_a_reason_and_restored() -> Result<()> {
    let stack = Stack::shared().await?;
    let id = unreadable(&stack).await?.id;
    stack.letters.discard(&[id], BY, "only a test").await?;
    stack.letters.reaches(id, "discarded", SOON).await?;
    let path = format!("/api/console/letters/{id}");
    let shown = stack.gateway.get(&path).await?.body;
    assert_eq!(shown["discarded"]["by"], BY);
    assert_eq!(shown["discarded"]["reason"], "only a test");

    let restore = json!({"by": BY, "letters": [id]});
    let path = "/api/console/letters/restore";
    let answer = stack.gateway.post(path, &restore).await?;
    ensure!(answer.status == 200, "{answer:?}");
    assert_eq!(answer.body["count"], 1);
    stack.letters.reaches(id, "open", SOON).await?;
    Ok(())
}

#[tokio::test]
async fn a_command_of_an_unsupported_version_is_mended_and_confirms_its_order() -> Result<()> {
    let stack = Stack::alone().await?;
    stack.compose.stop(&["inventory"]).await?;
    let order = stack.gateway.place(&wish(ANYTHING, 1)).await?.id;
    let body = take_command(&stack, order).await?;
    let newer = cloud_event("spillway.reserve-stock.v999");
    stack
        .rabbitmq
        .publish(COMMANDS.name, STOCK_RESERVE, newer.properties(), &body)
        .await?;
    stack.compose.up(&[("inventory", 1)]).await?;
    let letter = open_letter(&stack, &newer.id).await?;
    ensure!(letter.reason.contains("unsupported version"), "{letter:?}");

    let path = format!("/api/console/letters/{}/revisions", letter.id);
    let edit = |base: u32, body: &str| {
        json!({
            "by": BY, "base": base, "message_type": ReserveStock::TYPE,
            "message_id": letter.message_id, "body": body,
        })
    };
    let wrong = body.replace(r#""quantity":1"#, r#""quantity":"one""#);
    ensure!(wrong != body, "{body}");
    let refused = stack.gateway.post(&path, &edit(0, &wrong)).await?;
    ensure!(refused.status == 422, "{refused:?}");
    let error = refused.body["errors"][0].to_string();
    ensure!(error.contains("/lines/0/quantity"), "{refused:?}");

    let saved = stack.gateway.post(&path, &edit(0, &body)).await?;
    ensure!(saved.status == 201, "{saved:?}");
    assert_eq!(saved.body["revision"], 1);
    let replay = json!({"by": BY, "letters": [letter.id]});
    let job = stack.gateway.post("/api/console/replays", &replay).await?;
    ensure!(job.status == 201 && job.body["total"] == 1, "{job:?}");
    stack.gateway.reaches(order, "confirmed", LIMIT).await?;
    let handled = stack.letters.reaches(letter.id, "handled", LIMIT).await?;
    assert_eq!(handled.revision, 1);

    let late = stack.gateway.post(&path, &edit(1, &body)).await?;
    let why = late.body["detail"].as_str().unwrap_or_default();
    ensure!(why.contains("already handled"), "{late:?}");
    assert_eq!(stack.letters.body(letter.id).await?, body.as_bytes());

    // The same message once more: its consumer recognises it, and the letter says so.
    stack
        .rabbitmq
        .publish(COMMANDS.name, STOCK_RESERVE, newer.properties(), &body)
        .await?;
    let copy = open_letter(&stack, &newer.id).await?;
    ensure!(copy.id != letter.id, "it is handled: {copy:?}");
    let (letters, kind) = (&stack.letters, ReserveStock::TYPE);
    letters.mend(&copy, kind, &body, BY).await?;
    letters.replay(&[copy.id], BY).await?;
    letters.reaches(copy.id, "handled", LIMIT).await?;
    for (letter, recognised) in [(&letter, false), (&copy, true)] {
        let path = format!("/api/console/letters/{}", letter.id);
        let shown = stack.gateway.get(&path).await?.body;
        assert_eq!(shown["replay"]["duplicate"], recognised, "{shown}");
    }
    let shown = succeeded(&["show", &copy.id.to_string()]).await?;
    ensure!(shown.contains("no second effect"), "{shown}");
    Ok(())
}

/// The open letter about a message.
async fn open_letter(stack: &Stack, message_id: &str) -> Result<Letter> {
    let filter = format!("state=open&q={message_id}");
    eventually("a dead letter", LIMIT, async || {
        Ok(stack.letters.list(&filter).await?.pop())
    })
    .await
}
