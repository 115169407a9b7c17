//! What still works while others are away, and what happens once they are back.

use std::time::Duration;

use anyhow::Result;
use harness::{SOON, Stack, eventually, wish};
use uuid::Uuid;

use crate::ANYTHING;

/// A broker and everything behind it has to start first.
const AFTER_AN_OUTAGE: Duration = Duration::from_secs(90);

#[tokio::test]
async fn orders_are_accepted_while_everything_behind_them_is_down() -> Result<()> {
    let stack = Stack::alone().await?;
    let away = ["inventory", "notification", "rabbitmq", "kafka"];
    stack.compose.stop(&away).await?;

    let mut placed = Vec::new();
    for _ in 0..10 {
        let wish = wish(ANYTHING, 1);
        placed.push((stack.gateway.place(&wish).await?.id, wish));
    }
    for (id, _) in &placed {
        assert_eq!(stack.gateway.order(*id).await?.status, "pending");
    }

    stack.compose.start(&away).await?;
    for (id, wish) in &placed {
        stack
            .gateway
            .reaches(*id, "confirmed", AFTER_AN_OUTAGE)
            .await?;
        let address = wish["customer"]["email"].as_str().unwrap_or_default();
        stack.mailbox.receives(address, 1).await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_order_cancelled_before_its_reservation_takes_no_stock() -> Result<()> {
    const SKU: &str = "GLOVES-NEO";
    let stack = Stack::alone().await?;
    let before = stack.gateway.stock(SKU).await?;
    stack.compose.stop(&["inventory"]).await?;
    let order = stack.gateway.place(&wish(SKU, 4)).await?;
    let cancelled = stack.gateway.settle(order.id, "cancellation").await?;
    assert_eq!(
        (cancelled.status.as_str(), cancelled.version),
        ("cancelled", 2)
    );

    stack.compose.start(&["inventory"]).await?;
    eventually(
        "reservation and release are handled",
        AFTER_AN_OUTAGE,
        async || {
            let metrics = stack.compose.metrics("inventory", 1).await?;
            let handled = metrics.sum("messaging_client_consumed_messages_total", "stock-commands");
            Ok((handled >= 2.0).then_some(()))
        },
    )
    .await?;
    stack.gateway.stock_becomes(SKU, before).await?;
    assert_eq!(stack.gateway.order(order.id).await?, cancelled);
    Ok(())
}

#[tokio::test]
async fn an_unpaid_order_is_cancelled_by_its_deadline_and_a_paid_one_is_not() -> Result<()> {
    const SKU: &str = "ROPE-THROW";
    let stack = Stack::alone().await?;
    let before = stack.gateway.stock(SKU).await?;
    let up = ["up", "--detach", "--no-build", "--wait", "order"];
    stack
        .compose
        .run_with(&[("PAYMENT_DEADLINE", "3s")], &up)
        .await?;
    stack.is_ready().await?;

    let paid = stack
        .gateway
        .place_until(&wish(SKU, 1), "confirmed")
        .await?;
    let paid = stack.gateway.settle(paid.id, "payment").await?;
    // Its deadline is later, so once it has passed that of the first one has passed as well.
    let unpaid = stack
        .gateway
        .place_until(&wish(SKU, 1), "confirmed")
        .await?;
    let cancelled = stack.gateway.reaches(unpaid.id, "cancelled", SOON).await?;
    let reason = cancelled
        .history
        .last()
        .and_then(|change| change.reason.clone());
    assert!(reason.is_some(), "{cancelled:?}");

    let mut after = before;
    after.available -= 1;
    after.sold += 1;
    stack.gateway.stock_becomes(SKU, after).await?;
    assert_eq!(stack.gateway.order(paid.id).await?, paid);
    Ok(())
}

#[tokio::test]
async fn whoever_asks_a_service_that_is_down_is_told_when_to_come_back() -> Result<()> {
    let stack = Stack::alone().await?;
    stack.compose.stop(&["inventory"]).await?;
    let answer = stack.gateway.get("/api/stock").await?;
    assert!([502, 503].contains(&answer.status), "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.body["status"], answer.status);
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    Ok(())
}

#[tokio::test]
async fn without_its_database_a_service_refuses_for_the_moment_and_then_goes_on() -> Result<()> {
    let stack = Stack::alone().await?;
    stack.compose.stop(&["postgres"]).await?;
    let answer = stack
        .gateway
        .post("/api/orders", &wish(ANYTHING, 1))
        .await?;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    let answer = stack
        .gateway
        .get(&format!("/api/orders/{}", Uuid::now_v7()))
        .await?;
    assert_eq!(answer.status, 503, "{answer:?}");

    stack.compose.start(&["postgres"]).await?;
    stack.is_ready().await?;
    let order = stack.gateway.place(&wish(ANYTHING, 1)).await?;
    stack
        .gateway
        .reaches(order.id, "confirmed", AFTER_AN_OUTAGE)
        .await?;
    Ok(())
}
