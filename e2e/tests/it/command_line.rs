//! The dead letters without a browser: what `./dev letters` says and does.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use contracts::topology::STOCK_COMMANDS;
use harness::{SOON, Stack, eventually};
use serde_json::Value;
use uuid::Uuid;

use crate::support::command_line::{letters, succeeded};
use crate::support::unreadable::{HEX, unreadable, without_gaps};

const BY: &str = "Ada";
/// Outcomes come with the spans, every few seconds.
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_command_line_shows_replays_and_discards() -> Result<()> {
    let stack = Stack::shared().await?;
    let letter = unreadable(&stack).await?;
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
    for (command, state) in [("discard", "discarded"), ("restore", "open")] {
        let all = [command, "--all", "--q", &message_id, "--reason", reason];
        let said = succeeded(&all).await?;
        ensure!(said.contains("1 of 1"), "{said}");
        stack.letters.reaches(letter.id, state, SOON).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_command_line_holds_a_job_lets_it_go_on_and_stops_it() -> Result<()> {
    let stack = Stack::shared().await?;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(unreadable(&stack).await?.id.to_string());
    }
    let mut replay = vec!["replay", "--rate", "20", "--json"];
    replay.extend(ids.iter().map(String::as_str));
    let job: Value = serde_json::from_str(&succeeded(&replay).await?)?;
    assert_eq!(job["rate"], 20);
    let job = job["id"].as_str().context("a job without an id")?;
    let said = succeeded(&["pause", job]).await?;
    ensure!(said.contains("is paused: "), "{said}");
    eventually("nothing is on its way", LIMIT, async || {
        let path = format!("/api/console/replays/{job}");
        let job = stack.gateway.get(&path).await?.body;
        Ok((job["sent"] == 0).then_some(()))
    })
    .await?;
    let said = succeeded(&["resume", job]).await?;
    ensure!(said.contains("is running: "), "{said}");
    // Each fails again, after which the job halts: the last one is not sent.
    let said = succeeded(&["stop", job, "--by", BY]).await?;
    ensure!(said.contains("is stopped: "), "{said}");
    ensure!(!said.contains("3 of 3"), "all were sent: {said}");
    for command in ["resume", "stop"] {
        let late = letters(&[command, job]).await?;
        let error = String::from_utf8(late.stderr)?;
        ensure!(error.contains("the job has ended"), "{command}: {error}");
    }
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
        (&["replay", &nobody, "--rate", "fast"], "--rate is how many"),
        (&["stop"], "which job?"),
        // What only the console knows.
        (&["show", &nobody], "Not Found: "),
        (&["replay", &nobody], "Unprocessable"),
        (&["pause", &nobody], "there is no job"),
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
