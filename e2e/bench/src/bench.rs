mod console;
mod fill;
mod run;
mod volume;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use harness::Compose;
use serde_json::{Map, Value, json};

use super::Part;
use super::containers::Containers;
use super::costs::{Costs, Meter, rounded};
use super::machine::{binary_mib, description, memory_mib};
use super::scaling::Scaling;

/// For how long is looked at a system that does nothing.
const IDLE: Duration = Duration::from_secs(10);
/// The virtual machines of both brokers and of the mail catcher compile what is used, in the first minute.
const WARM_UP: [&str; 6] = ["bench", "latency", "--rate", "200", "--seconds", "40"];
/// The 20,000 orders that wait.
const WAITING: [&str; 8] = [
    "bench",
    "accepted",
    "--rate",
    "1000",
    "--warm-up",
    "0",
    "--seconds",
    "20",
];

/// The orders whose events and e-mails a number of consumers share.
const SHARED: [&str; 8] = [
    "bench",
    "accepted",
    "--rate",
    "250",
    "--warm-up",
    "0",
    "--seconds",
    "4",
];

/// A benchmark of the Compose project that the environment names, which is empty and healthy when it begins.
pub struct Bench {
    compose: Compose,
    containers: Containers,
    /// Goes to every run of the load generator.
    arguments: Vec<String>,
    stopped: &'static [&'static str],
    /// How many are filled in where the volume of tables is measured.
    rows: u64,
    figures: Map<String, Value>,
}

impl Bench {
    /// With further arguments for every run of the load generator, such as `--seconds 5`, and so many rows in the
    /// tables of [`Part::Volume`].
    ///
    /// # Errors
    ///
    /// When the environment does not name a project, or Docker cannot be reached.
    pub fn new(arguments: Vec<String>, rows: u64) -> Result<Self> {
        Ok(Self {
            compose: Compose::from_environment()?,
            containers: Containers::from_environment()?,
            arguments,
            stopped: &[],
            rows,
            figures: Map::new(),
        })
    }

    /// Runs these parts and returns the figures by name.
    ///
    /// # Errors
    ///
    /// When a part fails; the services are left as they are then.
    pub async fn measure(mut self, parts: &[Part]) -> Result<Map<String, Value>> {
        self.figures
            .extend(description()?.map(|(name, value)| (name.to_owned(), value)));
        let sizes = binary_mib(&self.compose).await?;
        self.figures.insert("binary_mib".to_owned(), sizes);
        let mut is_warm = false;
        for part in parts {
            if *part != Part::Idle && !is_warm {
                say("warm up");
                self.load(&WARM_UP).await?;
                is_warm = true;
            }
            self.stop_only(part.stopped()).await?;
            say(part.name());
            self.run(*part).await.context(part.name())?;
        }
        Ok(self.figures)
    }

    async fn run(&mut self, part: Part) -> Result<()> {
        match part {
            Part::Idle => self.idle().await,
            Part::Drain => self.drain().await,
            Part::Latency | Part::Accepted => self.scenario(part).await,
            Part::Scaling => self.scaling().await,
            Part::Delivered => {
                self.scenario(part).await?;
                self.memory("load_mib", "VmHWM", &["notification"]).await
            }
            Part::Confirmed => {
                self.scenario(part).await?;
                self.memory("load_mib", "VmHWM", &["order", "inventory"])
                    .await
            }
            Part::Console => self.console().await,
            Part::Volume => self.volume().await,
        }
    }

    async fn idle(&mut self) -> Result<()> {
        let meter = Meter::start(&self.containers).await?;
        tokio::time::sleep(IDLE).await;
        let costs = meter.stop(&self.containers).await?;
        self.add("cpu_cores", Part::Idle.name(), costs.cores());
        self.memory("idle_mib", "VmRSS", &Compose::SERVICES).await
    }

    async fn scenario(&mut self, part: Part) -> Result<()> {
        let figures = self.measured(part.name(), &[], part.name()).await?;
        self.figures.extend(figures);
        Ok(())
    }

    async fn scaling(&mut self) -> Result<()> {
        let place = async || {
            let orders = self.load(&SHARED).await?.orders;
            self.in_network(&["drained"]).await?;
            anyhow::Ok(orders)
        };
        let scaling = Scaling::new(self.compose.clone()).await?;
        let curves = scaling.measure(place).await?;
        self.figures.extend(curves.figures());
        Ok(())
    }

    /// Beside it `notification` works off what has come while it was stopped.
    async fn drain(&mut self) -> Result<()> {
        let waiting = self.load(&WAITING).await?.orders;
        let meter = Meter::start(&self.containers).await?;
        let start = Instant::now();
        self.compose.start(&["inventory"]).await?;
        self.stopped = &[];
        self.in_network(&["drained"]).await?;
        let took = start.elapsed().as_secs_f64();
        let costs = meter.stop(&self.containers).await?;
        self.figures
            .insert("drain_s".to_owned(), json!(rounded(took, 10.0)));
        self.cost(Part::Drain.name(), &costs, waiting);
        Ok(())
    }

    fn cost(&mut self, name: &str, costs: &Costs, orders: f64) {
        self.add("cpu_ms_per_order", name, costs.ms_per_order(orders));
        self.add("cpu_cores", name, costs.cores());
    }

    async fn memory(&mut self, figure: &str, field: &str, services: &[&str]) -> Result<()> {
        for service in services {
            let memory = memory_mib(&self.compose, service, field).await?;
            self.add(figure, service, memory);
        }
        Ok(())
    }

    fn add(&mut self, figure: &str, name: &str, value: Value) {
        let figures = self.figures.entry(figure).or_insert_with(|| json!({}));
        figures[name] = value;
    }

    /// Starts and stops services until these and no others are stopped.
    async fn stop_only(&mut self, services: &'static [&'static str]) -> Result<()> {
        let only = |these: &[&'static str], others: &[&str]| -> Vec<_> {
            these
                .iter()
                .copied()
                .filter(|one| !others.contains(one))
                .collect()
        };
        let (stop, start) = (only(services, self.stopped), only(self.stopped, services));
        if !start.is_empty() {
            say(&format!("start {}", start.join(", ")));
            self.compose.start(&start).await?;
        }
        if !stop.is_empty() {
            say(&format!("stop {}", stop.join(", ")));
            self.compose.stop(&stop).await?;
        }
        self.stopped = services;
        Ok(())
    }
}

pub(super) fn say(what: &str) {
    eprintln!("== {what}");
}
