//! The console keeps what could not be handled; there it is looked at, mended, sent again or discarded.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use contracts::topology::{COMMANDS, STOCK_COMMANDS, STOCK_RESERVE};
use contracts::{Message, ReserveStock};
use harness::{Letter, RawAmqp, RawMessage, RawValue, SOON, Stack};
use harness::{cloud_event, eventually, setting, take_command, wish};
use serde_json::{Value, json};
use tokio::process::Command;
use uuid::Uuid;

use crate::ANYTHING;

/// A service may have to start first, and spans come every few seconds.
const LIMIT: Duration = Duration::from_secs(60);
/// Neither JSON nor text.
const NO_TEXT: &[u8] = b"\xFF\xFE\0{}";
const HEX: &str = "fffe007b7d";
const BY: &str = "Ada";

#[tokio::test]
async fn a_dead_letter_says_where_and_why_and_keeps_every_byte() -> Result<()> {
    let stack = Stack::shared().await?;
    let letter = poison(&stack).await?;
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
    let id = poison(&stack).await?.id;
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
    let letters = stack.letters.with_ids(&[newer.id], LIMIT).await?;
    let letter = letters.first().context("no letter")?;
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
    Ok(())
}

#[tokio::test]
async fn the_command_line_shows_replays_and_discards() -> Result<()> {
    let stack = Stack::shared().await?;
    let letter = poison(&stack).await?;
    let message_id = letter.message_id.context("no message id")?;
    let id = letter.id.to_string();

    let list = succeeded(&["list", "--q", &message_id]).await?;
    ensure!(
        list.contains(&id) && list.contains(STOCK_COMMANDS) && list.contains("malformed"),
        "{list}"
    );
    let list = succeeded(&["--q", &message_id, "--consumer", STOCK_COMMANDS, "--json"]).await?;
    let list: Value = serde_json::from_str(&list)?;
    assert_eq!(list["letters"][0]["id"], id);
    assert_eq!(list["count"], 1);
    let shown = succeeded(&["show", &id]).await?;
    for part in [message_id.as_str(), "malformed", "x-of-the-sender  kept"] {
        ensure!(shown.contains(part), "{part} is not in {shown}");
    }
    ensure!(without_gaps(&shown).contains(HEX), "{shown}");

    let all = ["replay", "--all", "--q", &message_id, "--by", BY, "--json"];
    let job: Value = serde_json::from_str(&succeeded(&all).await?)?;
    assert_eq!(job["total"], 1);
    assert_eq!(job["by"], BY);
    eventually("it has failed once more", LIMIT, async || {
        let letter = stack.letters.get(letter.id).await?;
        Ok((letter.failures == 2 && letter.state == "open").then_some(()))
    })
    .await?;
    let jobs = succeeded(&["jobs"]).await?;
    let job = job["id"].as_str().context("a job without an id")?;
    ensure!(jobs.contains(job), "{jobs}");

    let reason = r#"it is "poison" & no more"#;
    succeeded(&["discard", &id, "--reason", reason]).await?;
    stack.letters.reaches(letter.id, "discarded", SOON).await?;
    ensure!(succeeded(&["show", &id]).await?.contains(reason));
    succeeded(&["restore", &id]).await?;
    stack.letters.reaches(letter.id, "open", SOON).await?;
    Ok(())
}

#[tokio::test]
async fn the_command_line_says_in_one_line_what_is_wrong() -> Result<()> {
    let _stack = Stack::shared().await?;
    let nobody = Uuid::now_v7().to_string();
    for (arguments, said) in [
        (&["show", "no-id"][..], "'no-id' is no id"),
        (&["discard", &nobody], "why?"),
        (&["frobnicate"], "does not know 'frobnicate'"),
        (&["list", "--state"], "--state needs a value"),
        // What only the console knows.
        (&["show", &nobody], "Not Found: "),
        (&["replay", &nobody], "Unprocessable"),
        (
            &["replay", "--all", "--q", &nobody],
            "no dead letter matches",
        ),
    ] {
        let output = letters(arguments).await?;
        let error = String::from_utf8(output.stderr)?;
        ensure!(output.status.code() == Some(1), "{arguments:?}: {error}");
        let first = error.lines().next().unwrap_or_default();
        ensure!(
            first.starts_with("dev: ") && first.contains(said) && error.lines().count() <= 2,
            "{arguments:?}: {error}"
        );
    }
    Ok(())
}

/// A command that nobody can read, as the console keeps it.
async fn poison(stack: &Stack) -> Result<Letter> {
    let id = Uuid::now_v7().to_string();
    let message = RawMessage {
        message_id: id.clone().into_bytes(),
        message_type: ReserveStock::TYPE.as_bytes().to_vec(),
        headers: vec![(
            b"x-of-the-sender".to_vec(),
            RawValue::Text(b"kept".to_vec()),
        )],
        body: NO_TEXT.to_vec(),
    };
    let mut client = RawAmqp::connect().await?;
    client.publish(STOCK_COMMANDS, &message).await?;
    let mut letters = stack.letters.with_ids(&[id], LIMIT).await?;
    letters.pop().context("no letter")
}

fn without_gaps(hex: &str) -> String {
    hex.replace(' ', "").to_lowercase()
}

/// What `./dev letters` prints.
async fn succeeded(arguments: &[&str]) -> Result<String> {
    let output = letters(arguments).await?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?}: {error}");
    Ok(String::from_utf8(output.stdout)?)
}

async fn letters(arguments: &[&str]) -> Result<Output> {
    let gateway = setting("GATEWAY_URL")?;
    let (_, port) = gateway.rsplit_once(':').context("no port")?;
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dev"));
    command
        .arg("letters")
        .args(arguments)
        .env("GATEWAY_PORT", port);
    Ok(command.output().await?)
}
