use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{Bench, say};

/// A rate that leaves room.
const RATE: [&str; 2] = ["--rate", "200"];
/// Each as long as the one before the snapshot.
const WINDOWS: usize = 3;
/// Those that write something for an order.
const DATABASES: [&str; 2] = ["order", "inventory"];
const NAME: &str = "bench-snapshot";

impl Bench {
    /// How much slower orders get while somebody holds a snapshot of each database open, by which no row that dies
    /// meanwhile can be removed.
    pub(super) async fn held_snapshot(&mut self) -> Result<()> {
        say("200 orders a second");
        let before = self.p50().await?;
        say("the same with a snapshot held open");
        let during = {
            let holding = futures::future::try_join_all(DATABASES.map(|name| self.hold(name)));
            let measuring = async {
                self.is_held().await?;
                let mut during = Vec::new();
                for _ in 0..WINDOWS {
                    during.push(self.p50().await?);
                }
                anyhow::Ok(during)
            };
            tokio::select! {
                held = holding => {
                    held?;
                    anyhow::bail!("the snapshot was not held");
                }
                during = measuring => during,
            }
        };
        // Whoever holds it lives in the container of the database, and does not end with us.
        let end = format!(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = '{NAME}'"
        );
        self.sql("postgres", &end).await?;
        let during = during?;
        let last = during.last().context("nothing was measured")?;
        self.figure("volume_snapshot_times", last / before);
        self.figures.insert(
            "volume_snapshot_p50_ms".to_owned(),
            json!({"before": before, "during": during}),
        );
        Ok(())
    }

    async fn p50(&self) -> Result<f64> {
        let run = self.scenario_run("latency", &RATE).await?;
        let p50 = run.figures.get("p50_ms").and_then(Value::as_f64);
        p50.filter(|p50| *p50 > 0.0).context("no order confirmed")
    }

    /// Until it is ended.
    async fn hold(&self, database: &str) -> Result<()> {
        let place = format!("dbname={database} user=postgres application_name={NAME}");
        let psql = ["exec", "-T", "postgres", "psql", "-qAtX", &place];
        let begin = "begin isolation level repeatable read";
        let steps = ["-c", begin, "-c", "select 1", "-c", "select pg_sleep(7200)"];
        self.compose.run(&[&psql[..], &steps].concat()).await?;
        Ok(())
    }

    async fn is_held(&self) -> Result<()> {
        let held = format!(
            "select count(*) from pg_stat_activity where application_name = '{NAME}' and backend_xmin is not null"
        );
        harness::eventually("the snapshots are held", harness::SOON, async || {
            let printed = self.sql("postgres", &held).await?;
            let held: usize = printed.trim().parse()?;
            Ok((held >= DATABASES.len()).then_some(()))
        })
        .await
    }
}
