//! A job that replays letters, as somebody outside sees it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::{Stack, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::failed::BY;

const REPLAYS: &str = "/api/console/replays";
/// Outcomes come with the spans, every few seconds; without news it takes a minute.
const LIMIT: Duration = Duration::from_secs(120);

/// Whoever looks at it sees to it that it keeps to its rate.
pub(crate) struct Job<'a> {
    pub(crate) id: Uuid,
    stack: &'a Stack,
    /// Letters a second, since then.
    rate: u32,
    since: Instant,
    /// How many it may have sent before.
    before: f64,
}

impl<'a> Job<'a> {
    /// Replays all letters that match, if they are as many.
    pub(crate) async fn start(
        stack: &'a Stack,
        rate: u32,
        filter: Value,
        expected: u64,
    ) -> Result<Self> {
        let since = Instant::now();
        let asked = json!({"by": BY, "rate": rate, "filter": filter, "expected": expected});
        let job = stack.gateway.post(REPLAYS, &asked).await?;
        ensure!(job.status == 201, "{job:?}");
        let id = job.body["id"].as_str().context("no id")?.parse()?;
        Ok(Self {
            id,
            stack,
            rate,
            since,
            // One goes at once, and another one is about to.
            before: 2.0,
        })
    }

    pub(crate) async fn change_rate(&mut self, rate: u32) -> Result<()> {
        let since = Instant::now();
        self.change(&json!({"rate": rate})).await?;
        // Until now it may have been the old one, and one more goes at once by the new one.
        self.before = self.most() + 1.0;
        (self.rate, self.since) = (rate, since);
        Ok(())
    }

    /// Pauses it, stops it or lets it go on.
    pub(crate) async fn change_state(&self, state: &str) -> Result<Value> {
        self.change(&json!({"state": state})).await
    }

    pub(crate) async fn has_sent(&self, count: u64) -> Result<Value> {
        self.when("so many were sent", |job| sent(job) >= count)
            .await
    }

    pub(crate) async fn becomes(&self, state: &str) -> Result<Value> {
        self.when(state, |job| job["state"] == state).await
    }

    pub(crate) async fn ended(&self) -> Result<Value> {
        self.when("the end", |job| job["ended_at"].is_string())
            .await
    }

    async fn change(&self, to: &Value) -> Result<Value> {
        let mut change = json!({"by": BY});
        for (name, value) in to.as_object().context("no object")? {
            change[name] = value.clone();
        }
        let path = format!("{REPLAYS}/{}", self.id);
        let gateway = &self.stack.gateway;
        let answer = gateway.call(Method::PATCH, &path, &change).await?;
        ensure!(answer.status == 200, "{answer:?}");
        self.is_not_too_fast(&answer.body)?;
        Ok(answer.body)
    }

    async fn when(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Result<Value> {
        let path = format!("{REPLAYS}/{}", self.id);
        let mut last = Value::Null;
        let seen = eventually(what, LIMIT, async || {
            // The console may just be starting.
            last = self.stack.gateway.get(&path).await?.body;
            let pace = self.is_not_too_fast(&last);
            Ok((pace.is_err() || is_so(&last)).then(|| pace.map(|()| last.clone())))
        });
        let seen = seen.await;
        seen.with_context(|| format!("last: {last}"))?
    }

    /// What it may have sent by now, at most.
    fn most(&self) -> f64 {
        self.before + f64::from(self.rate) * self.since.elapsed().as_secs_f64()
    }

    fn is_not_too_fast(&self, job: &Value) -> Result<()> {
        let (sent, most) = (sent(job), self.most());
        ensure!(
            sent as f64 <= most,
            "{sent} are sent, and {most:.0} at most may be: {job}"
        );
        Ok(())
    }
}

/// How many letters of a job have left it.
fn sent(job: &Value) -> u64 {
    let states = ["sent", "handled", "failed", "silent"];
    let numbers = states.map(|state| job[state].as_u64().unwrap_or_default());
    numbers.iter().sum()
}
