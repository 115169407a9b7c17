//! Services that break, each at a crash point of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use harness::{Compose, Stack, eventually};

use crate::support::overlay::up_with;

/// A process has to be started and given something to do before it gets as far as its point.
const STRUCK: Duration = Duration::from_secs(90);

/// The three services, one instance of each, that break once.
pub(crate) struct Broken<'s> {
    compose: &'s Compose,
    points: BTreeMap<&'static str, &'static str>,
}

impl<'s> Broken<'s> {
    /// New containers, in which nothing has struck yet. The points are those of `order`, `inventory` and
    /// `notification`; `how` is `abort` or `stop`.
    pub(crate) async fn start(
        stack: &'s Stack,
        points: [&'static str; 3],
        how: &str,
    ) -> Result<Self> {
        let settings = |point| {
            [
                ("SPILLWAY_DEMO", "true"),
                ("CRASH_AT", point),
                ("CRASH_BY", how),
            ]
        };
        let settings = points.map(settings);
        let services = Compose::SERVICES.into_iter().zip(settings.iter());
        let services: Vec<_> = services.map(|(name, all)| (name, &all[..])).collect();
        up_with(stack, &services).await?;
        Ok(Self {
            compose: &stack.compose,
            points: BTreeMap::from_iter(Compose::SERVICES.into_iter().zip(points)),
        })
    }

    /// Waits until every point has struck, and returns them.
    pub(crate) async fn all_have_struck(&self) -> Result<Vec<String>> {
        for service in self.points.keys() {
            self.has_struck(service).await?;
        }
        Ok(self.points.values().map(ToString::to_string).collect())
    }

    /// Waits until the point of this service has struck.
    pub(crate) async fn has_struck(&self, service: &str) -> Result<()> {
        let point = self.points[service];
        let file = format!("/tmp/crash-point-{point}");
        eventually(format!("{service}: {point}"), STRUCK, async || {
            let look = ["exec", "-T", "--index=1", service, "ls", &file];
            self.compose.run(&look).await.map(Some)
        })
        .await
        .map(drop)
    }
}
