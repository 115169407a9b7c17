//! One order is one trace, over HTTP, both brokers and SMTP.

use std::time::Duration;

use anyhow::{Context, Result};
use harness::{Collector, SOON, Stack, eventually, setting, wish};
use uuid::Uuid;

use crate::ANYTHING;

/// From the request to the e-mail, each the child of the one before.
const WAY: [&str; 13] = [
    "POST /api/orders",
    "wait outbox",
    "send commands:stock.reserve",
    "process commands:stock.reserve:inventory.stock-commands",
    "wait outbox",
    "send stock-events",
    "process stock-events",
    "wait outbox",
    "send order-events",
    "process order-events",
    "wait outbox",
    "send notifications:email.order-confirmed.standard",
    "process notifications:email.order-confirmed.standard:notification.email",
];

#[tokio::test]
async fn one_trace_shows_an_order_from_the_request_to_the_email() -> Result<()> {
    let stack = Stack::shared().await?;
    let collector = Collector::listen(setting("OTLP_PORT")?.parse()?).await?;
    let trace_id = *Uuid::now_v7().as_bytes();
    let root = trace_id[8..].to_vec();
    let traceparent = format!("00-{}-{}-01", hex(&trace_id), hex(&root));

    let wish = wish(ANYTHING, 1);
    let request = stack.gateway.request("/api/orders", &wish);
    let request = request.header("traceparent", traceparent);
    let answer = stack.gateway.send(request).await?;
    assert_eq!(answer.status, 202, "{answer:?}");

    let way = [&WAY[..], &["send email"]].concat();
    let spans = eventually(
        "the whole trace",
        SOON + Duration::from_secs(10),
        async || {
            let trace = collector.trace(&trace_id);
            let orphans: Vec<_> = trace.orphans(&root).iter().map(|span| &span.name).collect();
            anyhow::ensure!(orphans.is_empty(), "no parents: {orphans:?}");
            trace.path(&root, &way).map(Some)
        },
    )
    .await?;
    println!("{}", collector.trace(&trace_id).picture(&root));

    for pair in spans.windows(2) {
        let [before, after] = pair else { continue };
        assert!(
            before.start <= after.start,
            "{} starts before {}",
            after.name,
            before.name
        );
        // The context of creation is a link as well, as the conventions want it.
        assert!(
            !after.name.starts_with("process") || after.links.contains(&before.id),
            "{after:?}"
        );
    }
    let mut services: Vec<_> = spans.iter().map(|span| span.service.as_str()).collect();
    services.dedup();
    assert_eq!(services, ["order", "inventory", "order", "notification"]);

    // The e-mail says to which trace it belongs.
    let address = wish["customer"]["email"].as_str().context("no address")?;
    let mail = stack.mailbox.receives(address, 1).await?.remove(0);
    let carried = mail.headers.traceparent.context("no traceparent")?;
    assert!(carried.contains(&hex(&trace_id)), "{carried}");
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
