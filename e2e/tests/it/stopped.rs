//! A process that is stopped is not dead: nobody is told, its connections stay open. What it holds
//! goes over to others all the same, and when it wakes up it finds that it has lost.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bollard::Docker;
use bollard::query_parameters::KillContainerOptionsBuilder;
use e2e::checker::Observer;
use e2e::{Compose, Stack, eventually};
use tokio::time::timeout;

use crate::customers::Customers;

/// What a stopped instance holds is left to it for so long.
const HELD: Duration = Duration::from_secs(10);
/// Those who take over have half of the instances, and what was held on top. How long the same work takes
/// with nobody stopped is measured beside it, so that a slow hour makes no difference.
const SLOWER: u32 = 5;
/// A limit for what is not measured.
const WORK: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_stopped_order_service_delays_only_what_it_holds() -> Result<()> {
    stop_one_of_two("order").await
}

#[tokio::test]
async fn a_stopped_inventory_service_delays_only_what_it_holds() -> Result<()> {
    stop_one_of_two("inventory").await
}

#[tokio::test]
async fn a_stopped_notification_service_delays_only_what_it_holds() -> Result<()> {
    stop_one_of_two("notification").await
}

/// Stops the second of two instances while both are busy.
async fn stop_one_of_two(service: &str) -> Result<()> {
    let stack = Stack::alone().await?;
    let scale = format!("{service}=2");
    let up = ["up", "--detach", "--no-build", "--wait", "--scale", &scale];
    stack.compose.run(&up).await?;
    let observer = Observer::new(
        stack.gateway.clone(),
        stack.rabbitmq.clone(),
        stack.compose.clone(),
    )?;
    let undisturbed = Instant::now();
    let mut customers = Customers::order(&stack, 60).await?;
    nothing_is_held(&observer).await?;
    let work = undisturbed.elapsed();

    customers.more(&stack, 60).await?;
    let instance = Instance::find(&stack.compose, service).await?;
    instance.signal("SIGSTOP").await?;
    let stopped = Instant::now();
    let taken_over = async {
        customers.more(&stack, 60).await?;
        nothing_is_held(&observer).await
    };
    let taken_over = timeout(HELD + SLOWER * work, taken_over).await;
    let took = stopped.elapsed();
    // Whatever comes of it, nobody else shall find a stopped process.
    instance.signal("SIGCONT").await?;
    taken_over.context("others did not take over")??;
    println!(
        "{service}: nothing was left {took:.1?} after one of two instances was stopped, instead of {work:.1?}"
    );

    // Awake, it finds out that it has lost what it held, and does its share of what is new.
    customers.more(&stack, 60).await?;
    customers.are_served(&stack, HELD + WORK).await
}

/// Waits until every order is decided upon and everybody is told. Asks nobody who may be stopped.
async fn nothing_is_held(observer: &Observer) -> Result<()> {
    eventually("nothing is held", HELD + WORK, async || {
        let pending = observer.pending().await?;
        Ok(pending.is_delivered().then_some(()))
    })
    .await
}

struct Instance {
    docker: Docker,
    name: String,
}

impl Instance {
    async fn find(compose: &Compose, service: &str) -> Result<Self> {
        let containers = compose.containers(service).await?;
        ensure!(containers.len() == 2, "{containers:?}");
        let (_, last) = containers.last_key_value().context("no container")?;
        Ok(Self {
            docker: Docker::connect_with_unix_defaults()?,
            name: last.name.clone(),
        })
    }

    async fn signal(&self, signal: &str) -> Result<()> {
        let options = KillContainerOptionsBuilder::new().signal(signal).build();
        Ok(self
            .docker
            .kill_container(&self.name, Some(options))
            .await?)
    }
}
