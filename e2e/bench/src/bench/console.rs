use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use harness::{ConsoleGroups, Gateway, eventually, http_client};
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use super::{Bench, say};
use crate::costs::rounded;
use crate::machine::memory_mib;

/// How often is measured with the console, with it and somebody who watches, and without it, in turn.
const ROUNDS: usize = 2;
/// What has nothing to do with taking events in. RabbitMQ stays, because a console without it tries to reach it.
const OTHERS: [&str; 5] = ["order", "inventory", "load", "mail", "gateway"];
/// How often somebody who watches looks.
const LOOK: Duration = Duration::from_secs(1);
/// Nobody waits longer than this for a benchmark.
const LIMIT: Duration = Duration::from_secs(600);

impl Bench {
    pub(super) async fn console(&mut self) -> Result<()> {
        let groups = ConsoleGroups::new()?;
        self.cost_of_the_console(&groups).await?;
        self.catching_up(&groups).await?;
        self.a_million_orders().await
    }

    /// Ends with the console stopped, and behind.
    async fn cost_of_the_console(&mut self, groups: &ConsoleGroups) -> Result<()> {
        let (mut with, mut watched, mut without) = (Vec::new(), Vec::new(), Vec::new());
        let mut unread = Vec::new();
        for _ in 0..ROUNDS {
            self.compose.start(&["console"]).await?;
            is_read(groups).await?;
            say("with the console");
            with.push(self.confirmed("with the console", &[]).await?);
            // What it has not read by now has cost nothing yet.
            unread.push(groups.unread().await?);
            is_read(groups).await?;
            say("with the console, and somebody who watches");
            watched.push(self.watched().await?);
            self.compose.stop(&["console"]).await?;
            say("without it");
            without.push(self.confirmed("without it", &[]).await?);
        }
        let cost = |with: &[f64]| {
            let share = with.iter().sum::<f64>() / without.iter().sum::<f64>();
            rounded(100.0 * (1.0 - share), 10.0)
        };
        let figures = [
            ("console_cost_percent", json!(cost(&with))),
            ("console_cost_watched_percent", json!(cost(&watched))),
            ("confirmed_with_console_per_s", json!(with)),
            ("confirmed_with_console_watched_per_s", json!(watched)),
            ("confirmed_without_console_per_s", json!(without)),
            ("events_the_console_left_unread", json!(unread)),
        ];
        for (name, value) in figures {
            self.figures.insert(name.to_owned(), value);
        }
        Ok(())
    }

    /// While somebody looks, the console does not wait for a better time to read.
    async fn watched(&mut self) -> Result<f64> {
        let gateway = Gateway::new(http_client(LOOK)?)?;
        tokio::select! {
            confirmed = self.confirmed("with the console, watched", &[]) => confirmed,
            () = watch(&gateway) => bail!("nobody watches any more"),
        }
    }

    /// Alone: what was missed, from the start of the process until all of it is committed, which it does once a
    /// second. Ends with the others stopped.
    async fn catching_up(&mut self, groups: &ConsoleGroups) -> Result<()> {
        self.compose.stop(&OTHERS).await?;
        let events = groups.unread().await?;
        ensure!(events > 0, "there is nothing to read");
        say(&format!("the console takes in {events} events"));
        let start = Instant::now();
        self.compose.start(&["console"]).await?;
        is_read(groups).await?;
        let took = start.elapsed().as_secs_f64();
        let rate = events as f64 / took;
        self.figures.insert(
            "console_events_per_s".to_owned(),
            rounded(rate, 10.0).into(),
        );
        self.memory_of_the_console("after catching up").await
    }

    /// Through the gateway, with nothing else at work.
    async fn a_million_orders(&mut self) -> Result<()> {
        say("fill in a million orders and 10,000 dead letters");
        let deep = self.fill().await?;
        self.compose.up(&[("gateway", 1)]).await?;
        say("ask the console");
        let printed = self.in_network(&["console", "--before", &deep]).await?;
        let line = printed.lines().last().context("no figures")?;
        let figures: Map<String, Value> =
            serde_json::from_str(line).with_context(|| printed.clone())?;
        self.figures.extend(figures);
        self.memory_of_the_console("1,000,000 orders").await
    }

    /// The most that it had since it was started.
    async fn memory_of_the_console(&mut self, when: &str) -> Result<()> {
        let memory = memory_mib(&self.compose, "console", "VmHWM").await?;
        self.add("console_mib", when, memory);
        Ok(())
    }
}

/// Asks for the state of everything once a second, for ever. One answer that does not come makes no difference.
async fn watch(gateway: &Gateway) {
    loop {
        drop(gateway.get("/api/console/frame").await);
        sleep(LOOK).await;
    }
}

async fn is_read(groups: &ConsoleGroups) -> Result<()> {
    eventually("the console has read everything", LIMIT, async || {
        Ok((groups.unread().await? == 0).then_some(()))
    })
    .await
}
