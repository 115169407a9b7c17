//! Many letters are replayed by a job: at its rate, over a crash of the console, and no further than they work.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bollard::Docker;
use bollard::query_parameters::KillContainerOptionsBuilder;
use harness::{Stack, eventually};
use serde_json::json;
use uuid::Uuid;

use crate::support::database::database;
use crate::support::failed::Failed;

/// The job of a console that is gone is another one's after ten seconds.
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_job_keeps_to_its_rate_and_goes_on_after_a_crash_of_the_console() -> Result<()> {
    const LETTERS: usize = 1_000;
    let stack = Stack::alone().await?;
    let failed = Failed::commands(&stack, LETTERS).await?;
    failed.mend(&stack).await?;

    let mut job = failed.replay(&stack, 100).await?;
    job.has_sent(200).await?;
    job.change_rate(200).await?;
    job.has_sent(300).await?;
    kill_the_console(job.id).await?;
    stack.compose.start(&["console"]).await?;
    let seen = job.ended().await?;
    assert_eq!(seen["state"], "done");
    assert_eq!(seen["handled"], LETTERS, "{seen}");
    failed.have_their_effect_once(&stack).await
}

#[tokio::test]
async fn of_three_consoles_another_one_goes_on_with_the_job_of_one_that_is_killed() -> Result<()> {
    const LETTERS: usize = 100;
    let stack = Stack::alone().await?;
    let failed = Failed::commands(&stack, LETTERS).await?;
    failed.mend(&stack).await?;

    stack.compose.up(&[("console", 3)]).await?;
    let job = failed.replay(&stack, 20).await?;
    job.has_sent(20).await?;
    let killed = kill_the_console(job.id).await?;
    eventually("another one goes on", LIMIT, async || {
        Ok((at_work(job.id).await? != killed).then_some(()))
    })
    .await?;
    // Spans that it had received and not stored are lost; a console that starts asks again.
    stack.compose.start(&["console"]).await?;
    let seen = job.ended().await?;
    assert_eq!(seen["state"], "done");
    assert_eq!(seen["handled"], LETTERS, "{seen}");
    failed.have_their_effect_once(&stack).await
}

#[tokio::test]
async fn a_job_is_stopped_and_what_it_has_not_sent_is_open() -> Result<()> {
    const LETTERS: usize = 60;
    let stack = Stack::quiet().await?;
    let failed = Failed::commands(&stack, LETTERS).await?;
    failed.mend(&stack).await?;
    let job = failed.replay(&stack, 5).await?;
    job.has_sent(3).await?;
    let stopped = job.change_state("stopped").await?;
    let left = stopped["stopped"].as_u64().context("how many?")?;
    ensure!(left > 0, "{stopped}");
    assert_eq!(failed.open(&stack).await?, left);
    let rest = failed.replay(&stack, 100).await?;
    assert_eq!(rest.ended().await?["handled"], left);
    failed.have_their_effect_once(&stack).await
}

#[tokio::test]
async fn a_job_halts_by_itself_when_its_letters_fail_again() -> Result<()> {
    const LETTERS: usize = 8;
    let stack = Stack::quiet().await?;
    let failed = Failed::commands(&stack, LETTERS).await?;
    let job = failed.replay(&stack, 100).await?;
    let halted = job.becomes("halted").await?;
    assert_eq!(halted["why"], "the first letter has failed again");
    assert_eq!(
        (&halted["failed"], &halted["waiting"]),
        (&json!(1), &json!(LETTERS - 1))
    );
    // Whoever lets it go on all the same loses one more.
    job.change_state("running").await?;
    let halted = job.becomes("halted").await?;
    assert_eq!(
        (&halted["failed"], &halted["waiting"]),
        (&json!(2), &json!(LETTERS - 2))
    );

    failed.mend(&stack).await?;
    job.change_state("running").await?;
    job.ended().await?;
    let rest = failed.replay(&stack, 100).await?;
    rest.ended().await?;
    let letters = stack.letters.list(&failed.filter("all")).await?;
    ensure!(letters.len() == LETTERS, "{} letters", letters.len());
    ensure!(
        letters.iter().any(|letter| letter.failures > 1),
        "{letters:?}"
    );
    failed.have_their_effect_once(&stack).await
}

/// Kills the console that works on a job, while it does, and answers which one that was.
async fn kill_the_console(job: Uuid) -> Result<String> {
    let console = at_work(job).await?;
    let (container, _) = console.rsplit_once('-').context("it has no container")?;
    let kill = KillContainerOptionsBuilder::new().signal("SIGKILL").build();
    let docker = Docker::connect_with_unix_defaults()?;
    docker.kill_container(container, Some(kill)).await?;
    let query = "select count(*) from replays where job_id = $1 and state = 'waiting'";
    let query = sqlx::query_scalar(query).bind(job);
    let left: i64 = query.fetch_one(&mut database("console").await?).await?;
    ensure!(left > 0, "nothing was left to do");
    Ok(console)
}

/// The console that has a job to itself, by its host and process.
async fn at_work(job: Uuid) -> Result<String> {
    let query = sqlx::query_scalar("select leased_by from jobs where id = $1").bind(job);
    let leased_by: Option<String> = query.fetch_one(&mut database("console").await?).await?;
    leased_by.context("nobody works on it")
}
