//! What becomes of the stock that orders want: it is reserved, sold or given back, and never twice.

use anyhow::Result;
use futures::future::try_join_all;
use harness::{Gateway, SOON, Stack, StockLevel, wish};
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn scarce_stock_goes_to_as_many_as_there_are_pieces() -> Result<()> {
    const SCARCE: &str = "GATE-WHEEL";
    let stack = Stack::shared().await?;
    let api = &stack.gateway;
    let restock = api
        .post(
            &format!("/api/stock/{SCARCE}/restocks"),
            &json!({"quantity": 3}),
        )
        .await?;
    assert_eq!(restock.status, 200, "{restock:?}");
    let before = api.stock(SCARCE).await?;

    // One more customer than pieces, and one who wants more than there is.
    let pieces = usize::try_from(before.available)?;
    let wishes: Vec<_> = (0..=pieces)
        .map(|_| wish(SCARCE, 1))
        .chain([wish(SCARCE, 1_000)])
        .collect();
    let placed = try_join_all(wishes.iter().map(|wish| api.place(wish))).await?;
    let (mut confirmed, mut rejected) = (Vec::new(), Vec::new());
    for order in &placed {
        let order = decided(api, order.id).await?;
        if order.status == "confirmed" {
            confirmed.push(order.id);
        } else {
            rejected.push(order);
        }
    }
    assert_eq!((confirmed.len(), rejected.len()), (pieces, 2));
    for order in &rejected {
        let reason = order
            .history
            .last()
            .and_then(|change| change.reason.as_deref());
        assert!(
            reason.is_some_and(|reason| reason.contains(SCARCE)),
            "{order:?}"
        );
        let outcome = ["email", "push"].map(|channel| ("order-rejected", channel));
        api.told(
            order.id,
            &[&outcome[..], &[("order-placed", "push")]].concat(),
        )
        .await?;
        let answer = api
            .post(&format!("/api/orders/{}/payment", order.id), &Value::Null)
            .await?;
        assert_eq!(answer.status, 409, "{answer:?}");
        assert!(
            answer.body["detail"].to_string().contains("rejected"),
            "{answer:?}"
        );
    }
    let sold_out = StockLevel {
        available: 0,
        reserved: before.reserved + before.available,
        ..before
    };
    api.stock_becomes(SCARCE, sold_out).await?;

    for id in confirmed {
        api.settle(id, "cancellation").await?;
    }
    api.stock_becomes(SCARCE, before).await
}

#[tokio::test]
async fn paid_stock_is_sold_once() -> Result<()> {
    const SKU: &str = "PADDLE-CARBON";
    let stack = Stack::shared().await?;
    let api = &stack.gateway;
    let before = api.stock(SKU).await?;
    let order = api.place_until(&wish(SKU, 3), "confirmed").await?;
    let reserved = StockLevel {
        available: before.available - 3,
        reserved: before.reserved + 3,
        ..before
    };
    assert_eq!(api.stock(SKU).await?, reserved);

    let paid = api.settle(order.id, "payment").await?;
    assert_eq!((paid.status.as_str(), paid.version), ("paid", 3));
    let again = api.settle(order.id, "payment").await?;
    assert_eq!(again, paid);
    let sold = StockLevel {
        available: before.available - 3,
        sold: before.sold + 3,
        ..before
    };
    api.stock_becomes(SKU, sold).await?;
    assert_eq!(api.stock(SKU).await?.pieces(), before.pieces());

    let answer = api
        .post(
            &format!("/api/orders/{}/cancellation", order.id),
            &Value::Null,
        )
        .await?;
    assert_eq!(answer.status, 409, "{answer:?}");
    assert!(
        answer.body["detail"].to_string().contains("paid"),
        "{answer:?}"
    );
    let events = [("order-placed", "push")].into_iter();
    let events = events
        .chain(["order-confirmed", "order-paid"].into_iter().flat_map(both))
        .collect::<Vec<_>>();
    api.told(order.id, &events).await?;
    Ok(())
}

#[tokio::test]
async fn a_cancelled_order_gives_its_stock_back() -> Result<()> {
    const SKU: &str = "VEST-BUOYANCY";
    let stack = Stack::shared().await?;
    let api = &stack.gateway;
    let before = api.stock(SKU).await?;
    let order = api.place_until(&wish(SKU, 5), "confirmed").await?;
    assert_eq!(api.stock(SKU).await?.reserved, before.reserved + 5);

    let cancelled = api.settle(order.id, "cancellation").await?;
    assert_eq!(
        (cancelled.status.as_str(), cancelled.version),
        ("cancelled", 3)
    );
    assert_eq!(api.settle(order.id, "cancellation").await?, cancelled);
    api.stock_becomes(SKU, before).await?;
    let events = [("order-placed", "push")].into_iter();
    let events = events
        .chain(
            ["order-confirmed", "order-cancelled"]
                .into_iter()
                .flat_map(both),
        )
        .collect::<Vec<_>>();
    api.told(order.id, &events).await?;
    Ok(())
}

#[tokio::test]
async fn a_payment_and_a_cancellation_at_once_have_one_winner() -> Result<()> {
    const SKU: &str = "HELMET-RIVER";
    let stack = Stack::shared().await?;
    let api = &stack.gateway;
    let before = api.stock(SKU).await?;
    let orders =
        try_join_all((0..10).map(|_| async { api.place_until(&wish(SKU, 1), "confirmed").await }))
            .await?;
    let mut paid = 0;
    for order in orders {
        let path = |what: &str| format!("/api/orders/{}/{what}", order.id);
        let (payment, cancellation) = (path("payment"), path("cancellation"));
        let (payment, cancellation) = tokio::try_join!(
            api.post(&payment, &Value::Null),
            api.post(&cancellation, &Value::Null)
        )?;
        let mut answers = [payment.status, cancellation.status];
        paid += i64::from(payment.status == 200);
        answers.sort_unstable();
        assert_eq!(answers, [200, 409], "{payment:?} {cancellation:?}");
    }
    let after = StockLevel {
        available: before.available - paid,
        sold: before.sold + paid,
        ..before
    };
    api.stock_becomes(SKU, after).await
}

/// The order once it is no longer pending.
async fn decided(api: &Gateway, id: Uuid) -> Result<harness::Order> {
    harness::eventually("the order is decided", SOON, async || {
        let order = api.order(id).await?;
        Ok((order.status != "pending").then_some(order))
    })
    .await
}

fn both(event: &str) -> [(&str, &str); 2] {
    [(event, "email"), (event, "push")]
}
