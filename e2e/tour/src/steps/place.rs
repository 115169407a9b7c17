use std::time::Instant;

use anyhow::{Context, Result};
use harness::SOON;

use crate::ground::{address, wish};
use crate::{Ground, Screen};

pub(super) async fn run(ground: &Ground, screen: &Screen) -> Result<String> {
    let email = address();
    screen.act("POST /api/orders");
    let start = Instant::now();
    let order = ground.place(&wish(&email)).await?;
    let accepted = start.elapsed();
    screen.fact(&format!("202 after {accepted:.0?}: {}", order.status));

    screen.act(&format!("GET /api/orders/{}", order.id));
    let order = ground.gateway.reaches(order.id, "confirmed", SOON).await?;
    let confirmed = start.elapsed();
    for change in &order.history {
        screen.fact(&format!("version {}: {}", change.version, change.status));
    }

    let mail = ground.mailbox.receives(&email, 1).await?;
    let delivered = start.elapsed();
    let subject = &mail.first().context("no e-mail")?.subject;
    screen.fact(&format!("e-mail: {subject}"));
    Ok(format!(
        "Accepted after {accepted:.0?}, {} after {confirmed:.0?}, told by e-mail after {delivered:.0?}.",
        order.status
    ))
}
