use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Map, Value};

use super::containers::Containers;

/// The service of the load generator.
pub(super) const LOAD: &str = "load";

/// What the containers had used when a part began.
pub(super) struct Meter {
    begin: Instant,
    before: BTreeMap<String, u64>,
}

/// What they used during a part.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Costs {
    /// How long it took.
    took: Duration,
    /// CPU time by service, in milliseconds.
    cpu_ms: BTreeMap<String, f64>,
}

impl Meter {
    pub(super) async fn start(containers: &Containers) -> Result<Self> {
        Ok(Self {
            before: containers.cpu_ns().await?,
            begin: Instant::now(),
        })
    }

    pub(super) async fn stop(self, containers: &Containers) -> Result<Costs> {
        let took = self.begin.elapsed();
        let after = containers.cpu_ns().await?;
        Ok(Costs::between(&self.before, &after, took))
    }
}

impl Costs {
    fn between(
        before: &BTreeMap<String, u64>,
        after: &BTreeMap<String, u64>,
        took: Duration,
    ) -> Self {
        let used = after.iter().map(|(service, after)| {
            // A container that was started meanwhile counts from nothing.
            let before = before.get(service).filter(|before| *before <= after);
            let used = Duration::from_nanos(after - before.copied().unwrap_or_default());
            (service.clone(), used.as_secs_f64() * 1_000.0)
        });
        Self {
            took,
            cpu_ms: used.collect(),
        }
    }

    /// What the load generator used in a container that is gone when it can be asked, beside the one that is idle.
    pub(super) fn add_load(&mut self, cpu_ms: f64) {
        *self.cpu_ms.entry(LOAD.to_owned()).or_default() += cpu_ms;
    }

    /// CPU milliseconds for each of so many orders, by service and in all.
    pub(super) fn ms_per_order(&self, orders: f64) -> Value {
        self.by_service(|ms| rounded(ms / orders, 1_000.0))
    }

    /// How much of a core was busy on the average, by service and in all.
    pub(super) fn cores(&self) -> Value {
        let took_ms = self.took.as_secs_f64() * 1_000.0;
        self.by_service(|ms| rounded(ms / took_ms, 1_000.0))
    }

    fn by_service(&self, figure: impl Fn(f64) -> f64) -> Value {
        let services = self.cpu_ms.iter();
        let mut all: Map<_, _> = services
            .map(|(service, ms)| (service.clone(), figure(*ms).into()))
            .collect();
        all.insert(
            "total".to_owned(),
            figure(self.cpu_ms.values().sum()).into(),
        );
        all.into()
    }
}

/// To a tenth, a hundredth and so on.
pub(super) fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_that_was_started_meanwhile_counts_from_nothing() {
        let used = |order: u64, inventory: u64| {
            BTreeMap::from([
                ("order".to_owned(), order),
                ("inventory".to_owned(), inventory),
            ])
        };
        let before = used(1_000_000_000, 9_000_000_000);
        let after = used(3_000_000_000, 1_000_000_000);
        let mut costs = Costs::between(&before, &after, Duration::from_secs(10));
        costs.add_load(500.0);

        let per_order = costs.ms_per_order(1_000.0);
        assert_eq!(per_order["order"], 2.0);
        assert_eq!(per_order["inventory"], 1.0);
        assert_eq!(per_order["total"], 3.5);
        assert_eq!(costs.cores()["total"], 0.35);
    }
}
