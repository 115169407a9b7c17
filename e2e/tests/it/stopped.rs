//! A process that is stopped is not dead: nobody is told, its connections stay open. What it holds
//! goes over to others all the same, and when it wakes up it finds that it has lost.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bollard::Docker;
use bollard::query_parameters::KillContainerOptionsBuilder;
use checker::Observer;
use futures::future::try_join_all;
use harness::{Compose, Stack, eventually, members_at_work};
use tokio::task::spawn_blocking;
use uuid::Uuid;

use crate::support::broken::Broken;
use crate::support::customers::Customers;
use crate::support::database::database;

/// What a stopped instance holds is left to it for so long; then those who are left have to meet.
const HELD: Duration = Duration::from_secs(10);
/// Those who take over have half of the instances, and what was held on top. How long the same work takes
/// with nobody stopped is measured beside it, so that a slow hour makes no difference.
const SLOWER: u32 = 5;
/// A limit for what is not measured.
const WORK: Duration = Duration::from_secs(60);

/// Whether a service has done something for an order that is younger than one.
const DONE: [(&str, &str); 3] = [
    (
        "order",
        "select exists(select from orders where id > $1 and status <> 'pending')",
    ),
    (
        "inventory",
        "select exists(select from reservations where order_id > $1)",
    ),
    (
        "notification",
        "select exists(select from notifications where order_id > $1 and status = 'sent')",
    ),
];

/// `order` holds leases and a window that nobody has confirmed, `inventory` an open transaction with
/// locks and a full prefetch, `notification` partitions. Everybody here wants the product that is locked.
#[tokio::test]
async fn what_is_stopped_in_a_relay_a_transaction_and_a_topic_goes_over_to_others() -> Result<()> {
    stop_one_of_two(["rabbitmq-published", "handled", "topic-committed"])
        .await
        .map(drop)
}

/// `order` the same towards Kafka, `inventory` what is done and not acknowledged, `notification` an
/// open transaction and an e-mail that has left. Nothing of that is in the way of others.
#[tokio::test]
async fn what_is_stopped_after_its_effect_goes_over_to_others_who_go_on_at_once() -> Result<()> {
    let Stop { took, went_on } =
        stop_one_of_two(["kafka-published", "queue-committed", "provider-accepted"]).await?;
    // Whoever waited for what is held would be as late.
    let at_once = went_on.iter().all(|(_, after)| *after * 2 < took);
    ensure!(at_once, "after {took:?} nothing was held, {went_on:?}");
    Ok(())
}

struct Stop {
    /// After this time nothing was held any more.
    took: Duration,
    /// When each service did something for an order that was placed after the stop.
    went_on: Vec<(&'static str, Duration)>,
}

/// Stops one of two instances of each service under load, in the middle of what it is doing.
async fn stop_one_of_two(points: [&'static str; 3]) -> Result<Stop> {
    let stack = Stack::alone().await?;
    let observer = Observer::new(
        stack.gateway.clone(),
        stack.rabbitmq.clone(),
        stack.compose.clone(),
    )?;
    let undisturbed = Instant::now();
    let mut customers = Customers::order(&stack, 60).await?;
    nothing_is_held(&observer).await?;
    let work = undisturbed.elapsed();

    let broken = Broken::start(&stack, points, "stop").await?;
    double_all(&stack.compose).await?;
    let instances = Compose::SERVICES.map(|service| Instance::first(&stack.compose, service));
    let instances = try_join_all(instances).await?;
    let attacked = async {
        try_join_all(instances.iter().map(|one| one.stop_in(&broken))).await?;
        let (stopped, youngest) = (Instant::now(), Uuid::now_v7());
        let went_on = try_join_all(DONE.map(async |(service, done)| {
            something_is_done(service, done, youngest).await?;
            Ok((service, stopped.elapsed()))
        }));
        let (placed, went_on) = tokio::try_join!(Customers::place(&stack, 60), went_on)?;
        Ok((stopped, placed, went_on))
    };
    let taken_over = async {
        let (before, (stopped, after, went_on)) =
            tokio::try_join!(Customers::place(&stack, 60), attacked)?;
        customers.add(before);
        customers.add(after);
        nothing_is_held(&observer).await?;
        Ok((stopped.elapsed(), went_on))
    };
    let taken_over: Result<_> = taken_over.await;
    // Whatever comes of it, nobody else shall find a stopped process.
    try_join_all(instances.iter().map(|one| one.signal("SIGCONT"))).await?;
    let (took, went_on) = taken_over?;
    println!(
        "stopped at {points:?}: others did something new after {went_on:.1?}, and nothing was left after \
         {took:.1?}; as much takes {work:.1?} with nobody stopped"
    );
    ensure!(took < 2 * HELD + SLOWER * work, "others did not take over");

    // Awake, they find out that they have lost what they held, and do their share of what is new.
    customers.more(&stack, 60).await?;
    customers.are_served(&stack, HELD + WORK).await?;
    Ok(Stop { took, went_on })
}

/// A second instance of each service, with which nothing is wrong, and which has its partitions: while they
/// are being shared out, a group waits for a member that is stopped.
async fn double_all(compose: &Compose) -> Result<()> {
    let twice = Compose::SERVICES.map(|service| (service, 2));
    compose.up(&twice).await?;
    eventually("both have partitions", WORK, async || {
        for group in ["order.stock-events", "notification.order-events"] {
            let at_work = spawn_blocking(move || members_at_work(group)).await??;
            ensure!(at_work == 2, "{at_work} in {group}");
        }
        Ok(Some(()))
    })
    .await
}

/// Waits until every order is decided upon and everybody is told. Asks nobody who may be stopped.
async fn nothing_is_held(observer: &Observer) -> Result<()> {
    eventually("nothing is held", HELD + WORK, async || {
        let pending = observer.pending().await?;
        Ok(pending.is_delivered().then_some(()))
    })
    .await
}

/// Waits until the service has done something for an order that is younger than this one.
async fn something_is_done(service: &str, query: &'static str, youngest: Uuid) -> Result<()> {
    let mut database = database(service).await?;
    eventually("something new is done", HELD + WORK, async || {
        let query = sqlx::query_scalar(query).bind(youngest);
        let is_done: bool = query.fetch_one(&mut database).await?;
        Ok(is_done.then_some(()))
    })
    .await
}

struct Instance {
    docker: Docker,
    service: &'static str,
    name: String,
}

impl Instance {
    async fn first(compose: &Compose, service: &'static str) -> Result<Self> {
        let containers = compose.containers(service).await?;
        ensure!(containers.len() == 2, "{containers:?}");
        let (_, first) = containers.first_key_value().context("no container")?;
        Ok(Self {
            docker: Docker::connect_with_unix_defaults()?,
            service,
            name: first.name.clone(),
        })
    }

    /// Stops it where it breaks.
    async fn stop_in(&self, broken: &Broken<'_>) -> Result<()> {
        broken.has_struck(self.service).await?;
        self.signal("SIGSTOP").await
    }

    async fn signal(&self, signal: &str) -> Result<()> {
        let options = KillContainerOptionsBuilder::new().signal(signal).build();
        Ok(self
            .docker
            .kill_container(&self.name, Some(options))
            .await?)
    }
}
