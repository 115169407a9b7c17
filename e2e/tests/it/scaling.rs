//! Instances share the work.

use std::time::Duration;

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use harness::{SOON, Stack, eventually, wish};

use crate::ANYTHING;

/// A service, its instances, and what each must have done: name of the metric and part of its labels.
type Work = (&'static str, usize, &'static [(&'static str, &'static str)]);

const WORK: [Work; 3] = [
    (
        "order",
        3,
        &[
            ("http_server_request_duration_seconds_count", "POST"),
            (CONSUMED, "stock-events"),
        ],
    ),
    ("inventory", 4, &[(CONSUMED, "inventory.stock-commands")]),
    (
        "notification",
        4,
        &[(CONSUMED, "order-events"), (CONSUMED, "notification.email")],
    ),
];

const CONSUMED: &str = "messaging_client_consumed_messages_total";

#[tokio::test]
async fn every_instance_of_a_scaled_service_takes_its_share() -> Result<()> {
    let stack = Stack::alone().await?;
    let scale = WORK.map(|(service, instances, _)| (service, instances));
    stack.compose.up(&scale).await?;

    let mut placed = Vec::new();
    eventually(
        "every instance has worked",
        Duration::from_secs(90),
        async || {
            // At once, or an instance that is quick enough could do it all alone.
            let wishes: Vec<_> = (0..100).map(|_| wish(ANYTHING, 1)).collect();
            let orders = try_join_all(wishes.iter().map(|wish| stack.gateway.place(wish))).await?;
            let last = orders.last().map(|order| order.id);
            placed.extend(orders);
            if let Some(last) = last {
                stack.gateway.reaches(last, "confirmed", SOON).await?;
            }
            for (service, instances, work) in WORK {
                let containers = stack.compose.containers(service).await?;
                ensure!(containers.len() == instances, "{containers:?}");
                for number in containers.keys() {
                    let metrics = stack.compose.metrics(service, *number).await?;
                    for (name, label) in work {
                        ensure!(
                            metrics.sum(name, label) > 0.0,
                            "{service} {number}: no {name} {label}"
                        );
                    }
                }
            }
            Ok(Some(()))
        },
    )
    .await?;

    stack.compose.restore()?;
    for order in placed {
        stack.gateway.reaches(order.id, "confirmed", SOON).await?;
    }
    Ok(())
}
