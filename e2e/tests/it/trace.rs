//! One order is one trace, over HTTP, both brokers and SMTP, as the console shows it.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::{SOON, Stack, eventually, wish};
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use crate::ANYTHING;

/// From the request to the e-mail, each the child of the one before.
const WAY: [&str; 14] = [
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
    "send email",
];

/// What the console says about a span.
#[derive(Debug, Clone, Deserialize)]
struct Span {
    span_id: String,
    parent_id: Option<String>,
    name: String,
    service: String,
    started_at: Timestamp,
}

#[tokio::test]
async fn one_trace_shows_an_order_from_the_request_to_the_email() -> Result<()> {
    let stack = Stack::shared().await?;
    let trace_id = Uuid::now_v7().simple().to_string();
    let root = &trace_id[16..];
    let wish = wish(ANYTHING, 1);
    let request = stack.gateway.request("/api/orders", &wish);
    let request = request.header("traceparent", format!("00-{trace_id}-{root}-01"));
    let answer = stack.gateway.send(request).await?;
    assert_eq!(answer.status, 202, "{answer:?}");

    let id = answer.body["id"].as_str().context("no id")?;
    // Spans travel in batches, and the way to the e-mail takes a while on a busy machine.
    let limit = SOON + Duration::from_secs(10);
    let way = eventually("the whole trace", limit, async || {
        let answer = stack
            .gateway
            .get(&format!("/api/console/orders/{id}"))
            .await?;
        ensure!(answer.status == 200, "{answer:?}");
        let spans: Vec<Span> = serde_json::from_value(answer.body["spans"].clone())?;
        let orphans = orphans(&spans, root);
        ensure!(orphans.is_empty(), "no parents: {orphans:?}");
        let way = path(&spans, root, &WAY);
        way.map(Some)
            .with_context(|| format!("no way in {spans:#?}"))
    })
    .await?;

    assert!(way.is_sorted_by_key(|span| span.started_at), "{way:#?}");
    let mut services: Vec<_> = way.iter().map(|span| span.service.as_str()).collect();
    services.dedup();
    assert_eq!(services, ["order", "inventory", "order", "notification"]);

    // The e-mail says to which trace it belongs.
    let address = wish["customer"]["email"].as_str().context("no address")?;
    let mail = stack.mailbox.receives(address, 1).await?.remove(0);
    let carried = mail.headers.traceparent.context("no traceparent")?;
    assert!(carried.contains(&trace_id), "{carried}");
    Ok(())
}

/// Walks from a parent down: each name must be that of a child of the one before.
fn path(spans: &[Span], parent: &str, names: &[&str]) -> Option<Vec<Span>> {
    let Some((name, rest)) = names.split_first() else {
        return Some(Vec::new());
    };
    let mut children = spans
        .iter()
        .filter(|span| span.parent_id.as_deref() == Some(parent) && span.name == *name);
    children.find_map(|span| {
        let below = path(spans, &span.span_id, rest)?;
        Some([vec![span.clone()], below].concat())
    })
}

/// Spans whose parent is neither in the trace nor the given one.
fn orphans<'s>(spans: &'s [Span], root: &str) -> Vec<&'s str> {
    let known: HashSet<_> = spans.iter().map(|span| span.span_id.as_str()).collect();
    let is_orphan = |span: &&Span| {
        let parent = span.parent_id.as_deref();
        parent.is_none_or(|parent| parent != root && !known.contains(parent))
    };
    let orphans = spans.iter().filter(is_orphan);
    orphans.map(|span| span.name.as_str()).collect()
}
