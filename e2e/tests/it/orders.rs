//! What a customer can do with an order.

use anyhow::{Context, Result};
use futures::future::try_join_all;
use harness::{Stack, wish};
use serde_json::Value;
use uuid::Uuid;

use crate::ANYTHING;

#[tokio::test]
async fn an_order_ends_as_a_readable_email() -> Result<()> {
    let stack = Stack::shared().await?;
    let wish = wish(ANYTHING, 2);
    let order = stack.gateway.place_until(&wish, "confirmed").await?;
    assert_eq!(order.version, 2);
    let history: Vec<_> = order
        .history
        .iter()
        .map(|change| change.status.as_str())
        .collect();
    assert_eq!(history, ["pending", "confirmed"]);

    let expected = [
        ("order-placed", "push"),
        ("order-confirmed", "push"),
        ("order-confirmed", "email"),
    ];
    let told = stack.gateway.told(order.id, &expected).await?;
    let by_email = told
        .iter()
        .find(|one| one.channel == "email")
        .context("no e-mail")?;
    let address = email(&wish);
    let [mail] = stack
        .mailbox
        .receives(address, 1)
        .await?
        .try_into()
        .ok()
        .context("one e-mail")?;

    assert_eq!(mail.envelope.to[0].address, address);
    assert!(mail.subject.contains("confirmed"), "{}", mail.subject);
    // The same whenever this notification is sent, so that a mailbox can tell a repetition.
    assert!(
        mail.headers.message_id.contains(&by_email.id.to_string()),
        "{:?}",
        mail.headers
    );
    assert_eq!(mail.headers.x_order_id, Some(order.id.to_string()));
    let (text, html) = (mail.text.context("no text")?, mail.html.context("no HTML")?);
    for part in [&text, &html] {
        assert!(
            part.contains("Solo kayak") && part.contains("1098.00 EUR"),
            "{part}"
        );
    }
    assert!(html.contains("<table") && !text.contains('<'), "{text}");
    Ok(())
}

#[tokio::test]
async fn only_a_vip_gets_a_text_message() -> Result<()> {
    let stack = Stack::shared().await?;
    let mut vip = wish(ANYTHING, 1);
    vip["customer"]["tier"] = "vip".into();
    vip["customer"]["phone"] = "+4930123456".into();
    let mut standard = vip.clone();
    standard["customer"]["tier"] = "standard".into();

    let order = stack.gateway.place_until(&vip, "confirmed").await?;
    let placed = ("order-placed", "push");
    let [email, push, sms] = ["email", "push", "sms"].map(|channel| ("order-confirmed", channel));
    let told = stack
        .gateway
        .told(order.id, &[placed, email, push, sms])
        .await?;
    let by_text = told
        .iter()
        .find(|one| one.channel == "sms")
        .context("no text message")?;
    assert_eq!(by_text.recipient, "+4930123456");

    let order = stack.gateway.place_until(&standard, "confirmed").await?;
    stack.gateway.told(order.id, &[placed, email, push]).await?;
    Ok(())
}

#[tokio::test]
async fn one_idempotency_key_gives_one_order() -> Result<()> {
    let stack = Stack::shared().await?;
    let api = &stack.gateway;
    let (key, mut wish) = (Uuid::now_v7().to_string(), wish(ANYTHING, 1));
    let requests = (0..20).map(|_| api.post_once("/api/orders", &key, &wish));
    let answers = try_join_all(requests).await?;
    let first = &answers[0];
    for answer in &answers {
        assert_eq!(answer.status, 202, "{answer:?}");
        assert_eq!(answer.body["id"], first.body["id"]);
        assert_eq!(answer.headers["location"], first.headers["location"]);
    }
    let page = api.get("/api/orders?limit=100").await?;
    let orders = page.body["orders"].as_array().context("no orders")?;
    let ours = orders
        .iter()
        .filter(|order| order["customer"] == first.body["customer"]);
    assert_eq!(ours.count(), 1);

    wish["lines"][0]["quantity"] = 2.into();
    let other = api.post_once("/api/orders", &key, &wish).await?;
    assert_eq!(other.status, 422, "{other:?}");
    assert_eq!(other.body["errors"][0]["field"], "Idempotency-Key");
    Ok(())
}

fn email(wish: &Value) -> &str {
    wish["customer"]["email"].as_str().unwrap_or_default()
}
