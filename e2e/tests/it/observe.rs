//! The system as Prometheus sees it: every query of the dashboards finds something, and every alert fires when that
//! happens which it is for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use contracts::{Message, ReserveStock};
use harness::{Stack, cloud_event, eventually, wish};
use pages::alerts::read_alerts;
use pages::dashboards::read_dashboards;
use reqwest::Method;
use serde_json::{Value, json};

use crate::ANYTHING;
use crate::support::prometheus::Prometheus;

/// Until what happens is seen, on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// As `rabbitmq.conf` has it, and less than is in use.
const ENOUGH: &str = "1GiB";
const TOO_LITTLE: &str = "1MiB";

/// An alert, and labels by which it is that of this test.
type Expected = (&'static str, &'static str);

const BAD_MESSAGE: &[Expected] = &[("DeadLettersGrow", r#"job="inventory""#)];
const NOBODY_WORKS: &[Expected] = &[
    ("QueueGrows", r#"queue="inventory.stock-commands""#),
    (
        "LagGrows",
        r#"messaging_consumer_group_name="notification.order-events""#,
    ),
    ("TargetDown", r#"job="load""#),
];
const NO_MEMORY: &[Expected] = &[
    ("MemoryAlarm", r#"job="rabbitmq""#),
    ("OutboxOld", r#"job="order",messaging_system="rabbitmq""#),
];

#[tokio::test]
async fn every_alert_fires_and_every_query_of_the_dashboards_finds_something() -> Result<()> {
    let stack = Stack::alone().await?;
    // A new process of `inventory` has counted no dead letter.
    let recreate = [
        "--force-recreate",
        "--no-build",
        "--no-deps",
        "--wait",
        "inventory",
    ];
    stack
        .compose
        .run(&[&["up", "--detach"][..], &recreate].concat())
        .await?;
    stack.is_ready().await?;
    let prometheus = Prometheus::start(&stack.compose).await?;
    let outcome = watch(&stack, &prometheus).await;
    // Whatever was seen, the next test needs a system at work.
    let memory = limit_memory(&stack, ENOUGH).await;
    prometheus.remove(&stack.compose).await?;
    memory?;
    outcome?;

    let order = stack.gateway.place(&wish(ANYTHING, 1)).await?;
    stack.gateway.reaches(order.id, "confirmed", LIMIT).await?;
    Ok(())
}

async fn watch(stack: &Stack, prometheus: &Prometheus) -> Result<()> {
    let all: Vec<Expected> = [BAD_MESSAGE, NOBODY_WORKS, NO_MEMORY].concat();
    let names: BTreeSet<_> = all.iter().map(|(name, _)| (*name).to_owned()).collect();
    let written = read_alerts(&root())?.into_iter().map(|alert| alert.name);
    assert_eq!(names, written.collect::<BTreeSet<_>>());
    all_is_well(prometheus, &all).await?;
    one_order(stack).await?;

    ask(
        stack,
        "inventory",
        json!({"fail_percent": 100, "seconds": LIMIT.as_secs()}),
    )
    .await?;
    let tried_again = tries_again(stack, prometheus).await;
    ask(stack, "inventory", json!({"seconds": 1})).await?;
    tried_again?;

    let poison = cloud_event(ReserveStock::TYPE);
    stack
        .rabbitmq
        .publish(
            "commands",
            "stock.reserve",
            poison.properties(),
            "{ no JSON",
        )
        .await?;
    fire(stack, prometheus, BAD_MESSAGE).await?;

    stack.compose.stop(&["load"]).await?;
    for service in ["inventory", "notification"] {
        ask(
            stack,
            service,
            json!({"pause": true, "seconds": LIMIT.as_secs()}),
        )
        .await?;
    }
    let fired = fire(stack, prometheus, NOBODY_WORKS).await;
    for service in ["inventory", "notification"] {
        ask(stack, service, json!({"seconds": 1})).await?;
    }
    fired?;

    limit_memory(stack, TOO_LITTLE).await?;
    fire(stack, prometheus, NO_MEMORY).await?;
    every_query_finds_something(prometheus).await
}

/// All seven targets answer, and none of these alerts fires.
async fn all_is_well(prometheus: &Prometheus, alerts: &[Expected]) -> Result<()> {
    eventually("all is well", LIMIT, async || {
        let up = prometheus.query("up == 1").await?;
        ensure!(up.len() == 7, "{up:?}");
        for (name, labels) in alerts {
            ensure!(!prometheus.fires(name, labels).await?, "{name} fires");
        }
        Ok(Some(()))
    })
    .await
}

/// From the request to the e-mail, so that each service has done all that is counted.
async fn one_order(stack: &Stack) -> Result<()> {
    let wish = wish(ANYTHING, 1);
    stack.gateway.place_until(&wish, "confirmed").await?;
    let address = wish["customer"]["email"].as_str().context("no address")?;
    stack.mailbox.receives(address, 1).await.map(drop)
}

/// Places orders until an attempt is made again.
async fn tries_again(stack: &Stack, prometheus: &Prometheus) -> Result<()> {
    eventually("an attempt is made again", LIMIT, async || {
        stack.gateway.place(&wish(ANYTHING, 1)).await?;
        let again = prometheus.query(r#"spillway_retries_total{job="inventory"}"#);
        Ok((!again.await?.is_empty()).then_some(()))
    })
    .await
}

/// Places orders until these alerts fire.
async fn fire(stack: &Stack, prometheus: &Prometheus, alerts: &[Expected]) -> Result<()> {
    eventually(format!("{alerts:?}"), LIMIT, async || {
        stack.gateway.place(&wish(ANYTHING, 1)).await?;
        for (name, labels) in alerts {
            let fires = prometheus.fires(name, labels).await?;
            ensure!(fires, "{name} does not fire");
        }
        Ok(Some(()))
    })
    .await
}

async fn every_query_finds_something(prometheus: &Prometheus) -> Result<()> {
    let dashboards = read_dashboards(&root())?;
    eventually("every query finds something", LIMIT, async || {
        let mut silent = Vec::new();
        for dashboard in &dashboards {
            for (panel, expr) in dashboard.queries() {
                if prometheus.query(expr).await?.is_empty() {
                    silent.push(format!("{} / {panel}: {expr}", dashboard.title));
                }
            }
        }
        ensure!(silent.is_empty(), "nothing is found by {silent:#?}");
        Ok(Some(()))
    })
    .await
}

/// What the page asks of a service under Break things.
async fn ask(stack: &Stack, service: &str, mut wanted: Value) -> Result<()> {
    wanted["by"] = "Ada".into();
    let path = format!("/api/console/controls/{service}");
    let answer = stack.gateway.call(Method::PUT, &path, &wanted).await?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(())
}

/// RabbitMQ raises its alarm when it uses more than this.
async fn limit_memory(stack: &Stack, limit: &str) -> Result<()> {
    let set = ["set_vm_memory_high_watermark", "absolute", limit];
    let exec = ["exec", "-T", "rabbitmq", "rabbitmqctl", "--quiet"];
    stack
        .compose
        .run(&[&exec[..], &set].concat())
        .await
        .map(drop)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
