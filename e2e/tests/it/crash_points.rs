//! A process dies, or stops, between any two steps; nothing is lost and nothing happens twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{Compose, Stack, eventually};
use futures::future::try_join_all;

use crate::customers::Customers;
use crate::overlay::up_with;
use crate::poisoned::Poisoned;

/// A restarted process has to be delivered everything again first.
const AFTER_A_CRASH: Duration = Duration::from_secs(90);

/// Where `order`, `inventory` and `notification` break, all three in one round: every point at least
/// once, and those that several services pass in the one that has most to lose there.
const ROUNDS: [[&str; 3]; 8] = [
    ["outbox-written", "queue-committed", "provider-accepted"],
    ["outbox-committed", "queue-acknowledged", "topic-committed"],
    ["rabbitmq-taken", "handled", "topic-stored"],
    ["rabbitmq-published", "inbox-claimed", "queue-committed"],
    ["rabbitmq-confirmed", "kafka-taken", "topic-dead-lettered"],
    ["kafka-published", "queue-moved-on", "rabbitmq-published"],
    ["kafka-confirmed", "kafka-published", "rabbitmq-confirmed"],
    ["topic-committed", "kafka-confirmed", "handled"],
];

/// Where a process that stops holds something that others want: leases and unconfirmed messages, an
/// open transaction with locks, a full prefetch, partitions.
const STOPS: [[&str; 3]; 2] = [
    ["rabbitmq-published", "handled", "topic-committed"],
    ["kafka-published", "queue-committed", "provider-accepted"],
];

/// Longer than anything that a stopped process holds is left to it: 10 s.
const STOPPED: Duration = Duration::from_secs(12);

#[tokio::test]
async fn a_process_may_die_at_every_crash_point() -> Result<()> {
    let stack = Stack::alone().await?;
    let mut hit = BTreeSet::new();
    for round in ROUNDS {
        let broken = Broken::start(&stack, round, "abort").await?;
        let customers = Customers::order(&stack, 12).await?;
        let poisoned = Poisoned::send(&stack).await?;
        hit.extend(broken.all_have_struck().await?);
        let told = format!("crash points {round:?}");
        customers
            .are_served(&stack, AFTER_A_CRASH)
            .await
            .context(told)?;
        poisoned.are_dead_letters(&stack, AFTER_A_CRASH).await?;
    }
    let all = crash_points(&stack.compose).await?;
    ensure!(all == hit, "never hit: {:?}", all.difference(&hit));
    Ok(())
}

#[tokio::test]
async fn a_process_may_stop_in_the_middle_of_something_and_wake_up_later() -> Result<()> {
    let stack = Stack::alone().await?;
    for round in STOPS {
        let broken = Broken::start(&stack, round, "stop").await?;
        let (customers, stopped) = tokio::join!(
            Customers::order(&stack, 12),
            broken.stop_where_they_strike(STOPPED)
        );
        stopped?;
        let told = format!("stopped at {round:?}");
        customers?
            .are_served(&stack, AFTER_A_CRASH)
            .await
            .context(told)?;
    }
    Ok(())
}

/// The three services, each to break at a point of its own.
struct Broken<'s> {
    compose: &'s Compose,
    points: BTreeMap<&'static str, &'static str>,
}

impl<'s> Broken<'s> {
    /// New containers, in which nothing has struck yet.
    async fn start(stack: &'s Stack, round: [&'static str; 3], how: &str) -> Result<Self> {
        let points = BTreeMap::from_iter(Compose::SERVICES.into_iter().zip(round));
        let settings = |point| {
            [
                ("SPILLWAY_DEMO", "true"),
                ("CRASH_AT", point),
                ("CRASH_BY", how),
            ]
        };
        let settings = round.map(settings);
        let services = Compose::SERVICES.into_iter().zip(settings.iter());
        let services: Vec<_> = services.map(|(name, all)| (name, &all[..])).collect();
        up_with(stack, &services).await?;
        Ok(Self {
            compose: &stack.compose,
            points,
        })
    }

    /// Waits until every point has struck, and returns them.
    async fn all_have_struck(&self) -> Result<Vec<String>> {
        for service in self.points.keys() {
            self.has_struck(service).await?;
        }
        Ok(self.points.values().map(ToString::to_string).collect())
    }

    /// Stops each service in the middle of what it is doing, for a while.
    async fn stop_where_they_strike(&self, duration: Duration) -> Result<()> {
        let stops = self.points.keys().map(async |service| {
            self.has_struck(service).await?;
            self.signal(service, "SIGSTOP").await?;
            tokio::time::sleep(duration).await;
            self.signal(service, "SIGCONT").await
        });
        try_join_all(stops).await.map(drop)
    }

    async fn has_struck(&self, service: &str) -> Result<()> {
        let point = self.points[service];
        let file = format!("/tmp/crash-point-{point}");
        eventually(format!("{service}: {point}"), AFTER_A_CRASH, async || {
            let look = ["exec", "-T", service, "ls", &file];
            self.compose.run(&look).await.map(Some)
        })
        .await
        .map(drop)
    }

    async fn signal(&self, service: &str, signal: &str) -> Result<()> {
        let kill = ["kill", "--signal", signal, service];
        self.compose.run(&kill).await.map(drop)
    }
}

/// Every crash point that a service knows of, as its help lists them.
async fn crash_points(compose: &Compose) -> Result<BTreeSet<String>> {
    let help = ["exec", "-T", "order", "/usr/local/bin/order", "--help"];
    let help = compose.run(&help).await?;
    let lines = help.lines().map(str::trim);
    let values = lines
        .skip_while(|line| !line.starts_with("--crash-at"))
        .skip(1)
        .take_while(|line| !line.starts_with("--"))
        .filter_map(|line| line.strip_prefix("- ")?.split(':').next());
    let all: BTreeSet<String> = values.map(str::to_owned).collect();
    ensure!(!all.is_empty(), "no crash points in\n{help}");
    Ok(all)
}
