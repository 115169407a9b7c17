//! Many letters are replayed by a job: at its rate, over a crash of the console, and no further than they work.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use contracts::topology::STOCK_COMMANDS;
use harness::{Stack, eventually, wish};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::ANYTHING;

const BY: &str = "Ada";
const CONTROL: &str = "/api/console/controls/inventory";
const REPLAYS: &str = "/api/console/replays";
/// Outcomes come with the spans, every few seconds.
const LIMIT: Duration = Duration::from_secs(90);

#[tokio::test]
async fn a_job_keeps_to_its_rate_and_goes_on_after_a_crash_of_the_console() -> Result<()> {
    const LETTERS: usize = 300;
    let stack = Stack::alone().await?;
    let failed = Failed::commands(&stack, LETTERS).await?;
    failed.mend(&stack).await?;

    let started = Instant::now();
    let job = failed.replay(&stack, 50).await?;
    at_least_sent(&stack, job, 60).await?;
    change(&stack, job, &json!({"rate": 200})).await?;
    stack.compose.run(&["kill", "console"]).await?;
    stack.compose.start(&["console"]).await?;
    let seen = ended(&stack, job).await?;
    assert_eq!(seen["state"], "done");
    assert_eq!(seen["handled"], LETTERS, "{seen}");
    // 60 at 50/s, and the others at 200/s at most.
    ensure!(started.elapsed() > Duration::from_secs(2), "{started:?}");
    failed.are_decided(&stack).await
}

#[tokio::test]
async fn a_job_is_stopped_and_what_it_has_not_sent_is_open() -> Result<()> {
    const LETTERS: usize = 60;
    let stack = Stack::alone().await?;
    let failed = Failed::commands(&stack, LETTERS).await?;
    failed.mend(&stack).await?;
    let started = Instant::now();
    let job = failed.replay(&stack, 5).await?;
    at_least_sent(&stack, job, 3).await?;
    let stopped = change(&stack, job, &json!({"state": "stopped"})).await?;
    let left = stopped["stopped"].as_u64().context("how many?")?;
    ensure!(left > 0, "{stopped}");
    // One at once, and five in each second.
    let most = 2.0 + 5.0 * started.elapsed().as_secs_f64();
    let sent = u32::try_from(LETTERS)? - u32::try_from(left)?;
    ensure!(f64::from(sent) <= most, "{sent} sent, {most:.0} at most");
    assert_eq!(failed.open(&stack).await?, usize::try_from(left)?);
    let rest = failed.replay(&stack, 100).await?;
    assert_eq!(ended(&stack, rest).await?["handled"], left);
    failed.are_decided(&stack).await
}

#[tokio::test]
async fn a_job_halts_by_itself_when_its_letters_fail_again() -> Result<()> {
    const LETTERS: usize = 8;
    let stack = Stack::alone().await?;
    let failed = Failed::commands(&stack, LETTERS).await?;
    let job = failed.replay(&stack, 100).await?;
    let halted = becomes(&stack, job, "halted").await?;
    assert_eq!(halted["why"], "the first letter has failed again");
    assert_eq!(
        (&halted["failed"], &halted["waiting"]),
        (&json!(1), &json!(LETTERS - 1))
    );
    // Whoever lets it go on all the same loses one more.
    change(&stack, job, &json!({"state": "running"})).await?;
    let halted = becomes(&stack, job, "halted").await?;
    assert_eq!(
        (&halted["failed"], &halted["waiting"]),
        (&json!(2), &json!(LETTERS - 2))
    );

    failed.mend(&stack).await?;
    change(&stack, job, &json!({"state": "running"})).await?;
    ended(&stack, job).await?;
    let rest = failed.replay(&stack, 100).await?;
    ended(&stack, rest).await?;
    let letters = stack.letters.list(&failed.filter("all")).await?;
    ensure!(letters.len() == LETTERS, "{} letters", letters.len());
    ensure!(
        letters.iter().any(|letter| letter.failures > 1),
        "{letters:?}"
    );
    failed.are_decided(&stack).await
}

/// Orders whose commands have failed in `inventory`.
struct Failed {
    orders: Vec<Uuid>,
    since: Timestamp,
}

impl Failed {
    /// Makes commands fail for good, until they are mended.
    async fn commands(stack: &Stack, count: usize) -> Result<Self> {
        let since = Timestamp::now();
        let fail = json!({"fail_percent": 100, "fail_kind": "permanent", "seconds": 300, "by": BY});
        asked(stack, Method::PUT, &fail).await?;
        let mut orders = Vec::new();
        for _ in 0..count {
            orders.push(stack.gateway.place(&wish(ANYTHING, 1)).await?.id);
        }
        let failed = Self { orders, since };
        eventually("all commands have failed", LIMIT, async || {
            Ok((failed.open(stack).await? == count).then_some(()))
        })
        .await?;
        Ok(failed)
    }

    /// From now on commands are handled.
    async fn mend(&self, stack: &Stack) -> Result<()> {
        let nothing = json!({"seconds": 1, "by": BY});
        asked(stack, Method::PUT, &nothing).await?;
        let canary = stack.gateway.place(&wish(ANYTHING, 1)).await?;
        stack.gateway.reaches(canary.id, "confirmed", LIMIT).await?;
        Ok(())
    }

    fn filter(&self, state: &str) -> String {
        let since = self.since;
        format!("state={state}&consumer={STOCK_COMMANDS}&since={since}")
    }

    async fn open(&self, stack: &Stack) -> Result<usize> {
        Ok(stack.letters.list(&self.filter("open")).await?.len())
    }

    async fn replay(&self, stack: &Stack, rate: u32) -> Result<Uuid> {
        let filter = json!({"consumer": STOCK_COMMANDS, "since": self.since});
        let expected = self.open(stack).await?;
        let asked = json!({"by": BY, "rate": rate, "filter": filter, "expected": expected});
        let job = stack.gateway.post(REPLAYS, &asked).await?;
        ensure!(job.status == 201, "{job:?}");
        Ok(job.body["id"].as_str().context("no id")?.parse()?)
    }

    /// Every order is confirmed.
    async fn are_decided(&self, stack: &Stack) -> Result<()> {
        for order in &self.orders {
            stack.gateway.reaches(*order, "confirmed", LIMIT).await?;
        }
        Ok(())
    }
}

/// What is asked of `inventory`, once it has heard it.
async fn asked(stack: &Stack, method: Method, wanted: &Value) -> Result<()> {
    let answer = stack.gateway.call(method, CONTROL, wanted).await?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(())
}

async fn change(stack: &Stack, job: Uuid, to: &Value) -> Result<Value> {
    let mut change = json!({"by": BY});
    for (name, value) in to.as_object().context("no object")? {
        change[name] = value.clone();
    }
    let path = format!("{REPLAYS}/{job}");
    let answer = stack.gateway.call(Method::PATCH, &path, &change).await?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(answer.body)
}

async fn at_least_sent(stack: &Stack, job: Uuid, count: u64) -> Result<()> {
    when(stack, job, "so many were sent", |job| {
        let number = |name: &str| job[name].as_u64().unwrap_or_default();
        number("sent") + number("handled") >= count
    })
    .await
    .map(drop)
}

async fn becomes(stack: &Stack, job: Uuid, state: &str) -> Result<Value> {
    when(stack, job, state, |job| job["state"] == state).await
}

async fn ended(stack: &Stack, job: Uuid) -> Result<Value> {
    when(stack, job, "the end", |job| job["ended_at"].is_string()).await
}

async fn when(
    stack: &Stack,
    job: Uuid,
    what: &str,
    is_so: impl Fn(&Value) -> bool,
) -> Result<Value> {
    let mut last = Value::Null;
    let seen = eventually(what, LIMIT, async || {
        // The console may just be starting.
        let answer = stack.gateway.get(&format!("{REPLAYS}/{job}")).await?;
        last = answer.body;
        Ok(Some(last.clone()).filter(|job| is_so(job)))
    });
    let seen = seen.await;
    seen.with_context(|| format!("last: {last}"))
}
