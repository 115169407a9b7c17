//! What can be asked for beside single orders: deliveries to the stock, lists.

use anyhow::{Context, Result};
use futures::future::try_join_all;
use harness::{Stack, StockLevel, wish};
use serde_json::json;
use uuid::Uuid;

use crate::ANYTHING;

#[tokio::test]
async fn a_delivery_is_booked_once() -> Result<()> {
    const SKU: &str = "WADERS-CHEST";
    let stack = Stack::shared().await?;
    let api = &stack.gateway;
    let before = api.stock(SKU).await?;
    let (path, key) = (
        format!("/api/stock/{SKU}/restocks"),
        Uuid::now_v7().to_string(),
    );
    let body = json!({"quantity": 7});
    for answer in try_join_all((0..5).map(|_| api.post_once(&path, &key, &body))).await? {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body["available"], before.available + 7);
    }
    let after = StockLevel {
        available: before.available + 7,
        ..before
    };
    assert_eq!(api.stock(SKU).await?, after);
    let other = api.post_once(&path, &key, &json!({"quantity": 8})).await?;
    assert_eq!(other.status, 422, "{other:?}");
    Ok(())
}

#[tokio::test]
async fn orders_are_listed_page_by_page_newest_first() -> Result<()> {
    let stack = Stack::shared().await?;
    let api = &stack.gateway;
    let mut placed = Vec::new();
    for _ in 0..3 {
        placed.push(api.place(&wish(ANYTHING, 1)).await?.id);
    }
    let mut seen = Vec::new();
    let mut after = String::new();
    // Other tests place orders as well, so ours may be spread over pages, in any case in order.
    for _ in 0..50 {
        let page = api.get(&format!("/api/orders?limit=2{after}")).await?;
        assert_eq!(page.status, 200, "{page:?}");
        for order in page.body["orders"].as_array().context("no orders")? {
            seen.extend(order["id"].as_str().map(Uuid::parse_str).transpose()?);
        }
        let next = page.body["next"].as_str().context("no further page")?;
        after = format!("&after={next}");
        if seen.contains(&placed[0]) {
            break;
        }
    }
    seen.retain(|id| placed.contains(id));
    placed.reverse();
    assert_eq!(seen, placed);

    let page = api.get("/api/orders?status=confirmed&limit=100").await?;
    let orders = page.body["orders"].as_array().context("no orders")?;
    assert!(
        orders.iter().all(|order| order["status"] == "confirmed"),
        "{page:?}"
    );
    Ok(())
}
