//! The gateway: who gets a request, and what is said where nobody is there to get it.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bollard::Docker;
use bollard::query_parameters::KillContainerOptionsBuilder;
use futures::future::try_join_all;
use harness::{SOON, Stack, eventually, wish};
use tokio::time::sleep;

use crate::ANYTHING;
use crate::support::raw::{raw, refused};

/// By then an instance that does not answer is out of the rotation.
const ROTATION: Duration = Duration::from_secs(3);
/// What the gateway says where nobody else says anything.
const GATEWAYS_OWN: &str = "The service behind this address does not answer at the moment.";

#[tokio::test]
async fn a_frozen_instance_gets_no_requests_even_if_nobody_has_asked_for_it() -> Result<()> {
    let stack = Stack::alone().await?;
    stack.compose.up(&[("order", 2)]).await?;
    all_take_requests(&stack).await?;
    let containers = stack.compose.containers("order").await?;
    let (_, first) = containers.first_key_value().context("no container")?;

    let frozen = Frozen::freeze(&first.name).await?;
    // Not a wait for something to happen: nobody may ask meanwhile.
    sleep(ROTATION).await;
    let asked = async {
        let mut answers = Vec::new();
        for _ in 0..20 {
            let asked = Instant::now();
            let answer = stack.gateway.get("/api/orders?limit=1").await?;
            answers.push((answer.status, asked.elapsed()));
        }
        Ok(answers)
    };
    let answers: Result<_> = asked.await;
    // Whatever comes of it, nobody else shall find a frozen process.
    frozen.thaw().await?;
    let answers = answers?;
    let quick = |(status, took): &(u16, Duration)| *status == 200 && *took < ROTATION;
    ensure!(answers.iter().all(quick), "{answers:?}");
    Ok(())
}

#[tokio::test]
async fn instances_that_are_scaled_away_finish_what_they_were_asked() -> Result<()> {
    let stack = Stack::alone().await?;
    stack.compose.up(&[("order", 3)]).await?;
    all_take_requests(&stack).await?;
    let (answered, is_over) = (AtomicU32::new(0), AtomicBool::new(false));
    let clients = (0..16).map(async |number| {
        let mut answers = 0;
        while !is_over.load(Ordering::Relaxed) {
            let answer = if number % 2 == 0 {
                stack.gateway.get("/api/orders?limit=1").await?
            } else {
                let wish = wish(ANYTHING, 1);
                stack.gateway.post("/api/orders", &wish).await?
            };
            ensure!(matches!(answer.status, 200 | 202), "{answer:?}");
            answers += 1;
            answered.fetch_add(1, Ordering::Relaxed);
        }
        Ok(answers)
    });
    let are_answered = async |number: u32| {
        eventually("the clients are at work", SOON, async || {
            Ok((answered.load(Ordering::Relaxed) > number).then_some(()))
        })
        .await
    };
    let scaled = async {
        are_answered(100).await?;
        stack.compose.scale(&[("order", 1)]).await?;
        // Some time after the last one has gone, too.
        are_answered(answered.load(Ordering::Relaxed) + 400).await?;
        is_over.store(true, Ordering::Relaxed);
        anyhow::Ok(())
    };
    let (answers, ()) = tokio::try_join!(try_join_all(clients), scaled)?;
    ensure!(answers.iter().all(|number| *number > 0), "{answers:?}");
    Ok(())
}

#[tokio::test]
async fn where_no_instance_is_ready_one_that_is_alive_says_why() -> Result<()> {
    let stack = Stack::alone().await?;
    stack.compose.stop(&["postgres"]).await?;
    sleep(ROTATION).await;
    let answer = stack.gateway.get("/api/products").await?;
    ensure!(answer.status == 503, "{answer:?}");
    let detail = &answer.body["detail"];
    ensure!(detail.is_string() && detail != GATEWAYS_OWN, "{answer:?}");
    Ok(())
}

#[tokio::test]
async fn without_a_console_the_gateway_has_a_page_of_its_own() -> Result<()> {
    let stack = Stack::alone().await?;
    stack.compose.stop(&["console"]).await?;
    eventually("the page says how to start the console", SOON, async || {
        let page = raw("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let says_how = page.contains("docker compose up -d console");
        Ok((page.starts_with("HTTP/1.1 200 ") && says_how).then_some(()))
    })
    .await?;
    refused(&stack.gateway.get("/api/console/frame").await?, 503)
}

/// A process that is stopped without being told, until it is thawed.
struct Frozen {
    docker: Docker,
    name: String,
}

impl Frozen {
    /// Not by the engine's own pause, after which a container counts as unhealthy for a while.
    async fn freeze(name: &str) -> Result<Self> {
        let frozen = Self {
            docker: Docker::connect_with_unix_defaults()?,
            name: name.to_owned(),
        };
        frozen.signal("SIGSTOP").await?;
        Ok(frozen)
    }

    async fn thaw(&self) -> Result<()> {
        self.signal("SIGCONT").await
    }

    async fn signal(&self, signal: &str) -> Result<()> {
        let options = KillContainerOptionsBuilder::new().signal(signal).build();
        let sent = self.docker.kill_container(&self.name, Some(options));
        Ok(sent.await?)
    }
}

/// Waits until every instance of `order` has answered a request since now.
async fn all_take_requests(stack: &Stack) -> Result<()> {
    let containers = stack.compose.containers("order").await?;
    eventually("every instance answers", SOON, async || {
        let asked = (0..10).map(|_| stack.gateway.get("/api/orders?limit=1"));
        try_join_all(asked).await?;
        for number in containers.keys() {
            let metrics = stack.compose.metrics("order", *number).await?;
            let answered = metrics.sum("http_server_request_duration_seconds_count", "GET");
            ensure!(answered > 0.0, "{number} has answered nothing");
        }
        Ok(Some(()))
    })
    .await
}
