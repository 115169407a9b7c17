use anyhow::{Result, ensure};
use contracts::topology::ORDER_EVENTS;
use contracts::{Message, OrderCancelled, OrderConfirmed, OrderPlaced};
use harness::{SOON, eventually};
use tokio::task::spawn_blocking;

use crate::ground::{SKU, address, wish};
use crate::{Ground, Screen, story};

pub(super) async fn run(ground: &Ground, screen: &Screen) -> Result<String> {
    screen.act("POST /api/orders");
    let before = ground.gateway.stock(SKU).await?;
    let order = ground.place(&wish(&address())).await?;
    ground.all_confirmed(&[order.id]).await?;
    let reserved = ground.newly_reserved().await?;
    ensure!(reserved == 1, "{reserved} pieces are reserved");
    screen.fact(&format!("confirmed, {reserved} piece is reserved"));

    screen.act(&format!("POST /api/orders/{}/cancellation", order.id));
    let cancelled = ground.gateway.settle(order.id, "cancellation").await?;
    ground.gateway.stock_becomes(SKU, before).await?;
    screen.fact(&format!(
        "{}, the piece is back on the shelf",
        cancelled.status
    ));

    screen.act(&format!(
        "read {} from the first fact on",
        ORDER_EVENTS.name
    ));
    let expected = [
        OrderPlaced::TYPE,
        OrderConfirmed::TYPE,
        OrderCancelled::TYPE,
    ];
    // The order changed in the database first; its facts follow through the outbox.
    let story = eventually("all facts of the order", SOON, async || {
        let story = spawn_blocking(move || story::read(ORDER_EVENTS, order.id)).await??;
        Ok((story.types.len() >= expected.len()).then_some(story))
    })
    .await?;
    for kind in &story.types {
        screen.fact(kind);
    }
    ensure!(story.types == expected, "{:?}", story.types);
    Ok(format!(
        "The stock is as before, and the topic still tells all {} facts of the order, in order, among {} since the first.",
        story.types.len(),
        story.facts
    ))
}
