//! When more comes in than goes out, the system says so instead of filling up.

use std::time::Duration;

use anyhow::{Result, ensure};
use futures::future::join_all;
use harness::{Stack, eventually, wish};

use crate::ANYTHING;

const LIMIT: Duration = Duration::from_secs(90);

#[tokio::test]
async fn orders_are_shed_while_rabbitmq_is_blocked_and_taken_again_afterwards() -> Result<()> {
    let stack = Stack::alone().await?;
    let up = ["up", "--detach", "--no-build", "--wait", "order"];
    stack
        .compose
        .run_with(&[("OUTBOX_LIMIT", "50")], &up)
        .await?;
    stack.is_ready().await?;

    block_publishers(&stack, true).await?;
    let shed = shed_after(&stack).await;
    block_publishers(&stack, false).await?;
    let accepted = shed?;

    eventually("orders are taken again", LIMIT, async || {
        stack.gateway.place(&wish(ANYTHING, 1)).await.map(Some)
    })
    .await?;
    for order in accepted {
        stack.gateway.reaches(order, "confirmed", LIMIT).await?;
    }
    Ok(())
}

/// Places orders until one is refused; returns those that were accepted.
async fn shed_after(stack: &Stack) -> Result<Vec<uuid::Uuid>> {
    let mut accepted = Vec::new();
    let refused = eventually("an order is refused", LIMIT, async || {
        let wishes: Vec<_> = (0..20).map(|_| wish(ANYTHING, 1)).collect();
        let answers = wishes
            .iter()
            .map(|wish| stack.gateway.post("/api/orders", wish));
        for answer in join_all(answers).await {
            let answer = answer?;
            if answer.status != 202 {
                return Ok(Some(answer));
            }
            accepted.push(serde_json::from_value::<harness::Order>(answer.body)?.id);
        }
        Ok(None)
    })
    .await?;
    ensure!(refused.status == 503, "{refused:?}");
    ensure!(refused.headers.contains_key("retry-after"), "{refused:?}");
    ensure!(accepted.len() >= 25, "refused after {}", accepted.len());
    Ok(accepted)
}

/// The alarm of a disk that is nearly full: RabbitMQ takes nothing from anybody.
async fn block_publishers(stack: &Stack, block: bool) -> Result<()> {
    let free = if block { "100000GB" } else { "1GB" };
    let limit = ["rabbitmqctl", "--quiet", "set_disk_free_limit", free];
    let exec = [&["exec", "-T", "rabbitmq"][..], &limit].concat();
    stack.compose.run(&exec).await.map(drop)
}
