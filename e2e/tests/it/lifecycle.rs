//! Services start whatever is missing, and stop gracefully: they finish what they hold.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use harness::{Compose, Gateway, Stack, eventually, wish};
use serde_json::Value;

use crate::ANYTHING;

/// Brokers and database start anew in it.
const A_WHILE: Duration = Duration::from_secs(90);

#[tokio::test]
async fn a_service_that_is_told_to_stop_finishes_what_it_has_in_hand() -> Result<()> {
    let stack = Stack::alone().await?;
    let stopping = AtomicBool::new(true);
    let flow = place_orders_while(&stack.gateway, &stopping);
    let restarts = async {
        let outcome = restart_each(&stack).await;
        stopping.store(false, Ordering::Relaxed);
        outcome
    };
    let (placed, ()) = tokio::try_join!(flow, restarts)?;

    assert!(
        placed.len() >= 50,
        "only {} orders were accepted",
        placed.len()
    );
    for (order, email) in placed {
        stack
            .gateway
            .reaches(order.id, "confirmed", Duration::from_secs(60))
            .await?;
        stack.mailbox.receives(&email, 1).await?;
    }
    Ok(())
}

#[tokio::test]
async fn services_start_in_any_order() -> Result<()> {
    let stack = Stack::alone().await?;
    stack.compose.run(&["stop"]).await?;
    stack
        .compose
        .start(&["notification", "inventory", "order"])
        .await?;
    stack
        .compose
        .start(&["console", "gateway", "load", "mail"])
        .await?;
    stack.compose.start(&["kafka"]).await?;
    stack.compose.start(&["rabbitmq"]).await?;
    stack.compose.start(&["postgres"]).await?;
    stack.is_ready().await?;

    let order = stack.gateway.place(&wish(ANYTHING, 1)).await?;
    stack
        .gateway
        .reaches(order.id, "confirmed", A_WHILE)
        .await?;
    eventually("every container is healthy", A_WHILE, async || {
        let states = stack
            .compose
            .run(&["ps", "--all", "--format", "{{.Health}}"])
            .await?;
        Ok(states.lines().all(|state| state == "healthy").then_some(()))
    })
    .await
}

async fn restart_each(stack: &Stack) -> Result<()> {
    for service in Compose::SERVICES.into_iter().chain(["console"]) {
        let started = Instant::now();
        stack.compose.stop(&[service]).await?;
        let took = started.elapsed();
        assert!(
            took < Duration::from_secs(10),
            "{service} took {took:?} to stop"
        );
        let containers = stack.compose.containers(service).await?;
        let container = containers.values().next().context("no container")?;
        assert_eq!(
            (container.state.as_str(), container.exit_code),
            ("exited", 0),
            "{service}"
        );
        stack
            .compose
            .run(&["up", "--detach", "--no-build", "--wait", service])
            .await?;
    }
    Ok(())
}

/// Places about 20 orders a second; returns those that were accepted, with their addresses.
async fn place_orders_while(
    api: &Gateway,
    wanted: &AtomicBool,
) -> Result<Vec<(harness::Order, String)>> {
    let mut accepted = Vec::new();
    let mut arrivals = tokio::time::interval(Duration::from_millis(50));
    while wanted.load(Ordering::Relaxed) {
        arrivals.tick().await;
        let wish = wish(ANYTHING, 1);
        let answer = api.post("/api/orders", &wish).await?;
        // While `order` itself is away the gateway says so.
        assert!([202, 502, 503].contains(&answer.status), "{answer:?}");
        if answer.status == 202 {
            let email = wish["customer"]["email"].as_str().map(str::to_owned);
            accepted.push((
                serde_json::from_value::<harness::Order>(answer.body)?,
                email.context("no address")?,
            ));
        } else {
            assert_ne!(answer.body, Value::Null, "a refusal without a problem");
        }
    }
    Ok(accepted)
}
