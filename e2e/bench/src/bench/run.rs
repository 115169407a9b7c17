use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Bench;
use crate::costs::Meter;

/// What the load generator says of itself beside its figures.
#[derive(Deserialize)]
pub(super) struct Run {
    /// Orders that got as far as the scenario looks, those of the warm-up among them.
    pub(super) orders: f64,
    /// CPU time that it used itself.
    load_cpu_ms: f64,
    #[serde(flatten)]
    pub(super) figures: Map<String, Value>,
}

impl Bench {
    /// Runs the load generator; its figures are its last line.
    pub(super) async fn load(&self, arguments: &[&str]) -> Result<Run> {
        let printed = self.in_network(arguments).await?;
        let line = printed.lines().last().context("no figures")?;
        serde_json::from_str(line).with_context(|| printed.clone())
    }

    /// Inside the Compose network, because a published port costs a part of a core.
    pub(super) async fn in_network(&self, arguments: &[&str]) -> Result<String> {
        let run = ["run", "--rm", "--no-deps", "-T", "load"];
        self.compose.show(&[&run[..], arguments].concat()).await
    }

    pub(super) async fn scenario_run(&self, scenario: &str, further: &[&str]) -> Result<Run> {
        let arguments: Vec<_> = self.arguments.iter().map(String::as_str).collect();
        let bench = [&["bench", scenario][..], further, &arguments].concat();
        self.load(&bench).await
    }

    /// How many orders are confirmed per second, with these further arguments.
    pub(super) async fn confirmed(&mut self, name: &str, further: &[&str]) -> Result<f64> {
        let figures = self.measured("confirmed", further, name).await?;
        let rate = figures.get("confirmed_per_s").and_then(Value::as_f64);
        rate.filter(|rate| *rate > 0.0)
            .context("no order confirmed")
    }

    /// Runs a scenario with these further arguments, notes by this name what it has cost, and returns its figures.
    pub(super) async fn measured(
        &mut self,
        scenario: &str,
        further: &[&str],
        name: &str,
    ) -> Result<Map<String, Value>> {
        let meter = Meter::start(&self.containers).await?;
        let run = self.scenario_run(scenario, further).await?;
        let mut costs = meter.stop(&self.containers).await?;
        costs.add_load(run.load_cpu_ms);
        self.cost(name, &costs, run.orders);
        Ok(run.figures)
    }
}
