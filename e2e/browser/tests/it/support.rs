//! What several tests ask the console itself.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::{Stack, eventually};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

/// The queue in which orders wait for a decision.
pub(crate) const COMMANDS: &str = "inventory.stock-commands";

/// Somebody's name, as the page asks for it.
pub(crate) const SOMEBODY: &str = "Ada";

/// What the console's page is told several times a second.
pub(crate) async fn frame(stack: &Stack) -> Result<Value> {
    let answer = stack.gateway.get("/api/console/frame").await?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(answer.body)
}

/// A queue of a frame.
pub(crate) fn queue<'f>(frame: &'f Value, name: &str) -> Result<&'f Value> {
    let queues = frame["queues"].as_array().context("no queues")?;
    let queue = queues.iter().find(|queue| queue["name"] == name);
    queue.with_context(|| format!("no queue {name}"))
}

/// A sentence of a frame about this subject.
pub(crate) fn sentence<'f>(frame: &'f Value, reason: &str, subject: &str) -> Option<&'f Value> {
    let mut sentences = frame["sentences"].as_array()?.iter();
    sentences.find(|one| {
        let is_about = one["subject"].as_str().unwrap_or_default();
        one["reason"] == reason && is_about.starts_with(subject)
    })
}

/// A time of a frame, if it is known.
pub(crate) fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// Waits until nothing is stuck.
pub(crate) async fn nothing_is_stuck(stack: &Stack, limit: Duration) -> Result<()> {
    let mut last = Value::Null;
    let calm = eventually("nothing is stuck", limit, async || {
        last = frame(stack).await?["sentences"].take();
        Ok((last == json!([])).then_some(()))
    });
    let calm = calm.await;
    calm.with_context(|| format!("last: {last}"))
}

/// Breaks a service on purpose, for so many seconds, and returns what the console says about that.
pub(crate) async fn control(
    stack: &Stack,
    service: &str,
    seconds: u64,
    wanted: &Value,
) -> Result<Value> {
    let mut body = json!({
        "pause": false, "slow_ms": 0, "fail_percent": 0, "fail_kind": "transient",
        "refuse_email": false, "seconds": seconds, "by": SOMEBODY,
    });
    for (name, value) in wanted.as_object().context("no object")? {
        body[name] = value.clone();
    }
    call(
        stack,
        Method::PUT,
        &format!("/api/console/controls/{service}"),
        Some(&body),
    )
    .await
}

/// Lets a service alone again.
pub(crate) async fn release(stack: &Stack, service: &str) -> Result<()> {
    let path = format!("/api/console/controls/{service}");
    call(stack, Method::DELETE, &path, None).await.map(drop)
}

/// A request as the page sends it, which has to succeed.
pub(crate) async fn call(
    stack: &Stack,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Value> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let request = stack
        .gateway
        .request_of_type(path, "application/json", body);
    let (client, request) = request.build_split();
    let mut request = request?;
    *request.method_mut() = method;
    let headers = request.headers_mut();
    headers.insert("sec-fetch-site", "same-origin".parse()?);
    let answer = client.execute(request).await?;
    let (status, body) = (answer.status(), answer.text().await?);
    ensure!(status.is_success(), "{path}: {status} {body}");
    Ok(serde_json::from_str(&body).unwrap_or_default())
}
