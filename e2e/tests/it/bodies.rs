//! What the gateway refuses about bodies by itself, and that nobody pays for what another client sends.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use harness::{Stack, wish};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{interval, timeout};

use crate::ANYTHING;
use crate::support::raw::{connect, raw, refused};

/// By then a request has to be there.
const REQUEST: Duration = Duration::from_secs(10);
/// And that much later at most the connection is closed.
const CLOSING: Duration = Duration::from_secs(3);
/// The head of an order in chunks.
const CHUNKED: &str = "POST /api/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                       Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n";

#[tokio::test]
async fn malformed_requests_of_one_client_cost_nobody_else_anything() -> Result<()> {
    let stack = Stack::shared().await?;
    let until = Instant::now() + Duration::from_secs(6);
    let malformed = async {
        let mut thrice_a_second = interval(Duration::from_millis(333));
        while Instant::now() < until {
            thrice_a_second.tick().await;
            for body in ["ZZ\r\n", "5\r\nhello\r\nZZ\r\n"] {
                let answer = raw(&format!("{CHUNKED}{body}")).await?;
                ensure!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
            }
        }
        Ok(())
    };
    let orders = async {
        let mut often = interval(Duration::from_millis(50));
        while Instant::now() < until {
            often.tick().await;
            stack.gateway.place(&wish(ANYTHING, 1)).await?;
        }
        Ok(())
    };
    tokio::try_join!(malformed, orders).map(drop)
}

#[tokio::test]
async fn a_body_that_never_ends_costs_its_client_the_connection() -> Result<()> {
    let _stack = Stack::shared().await?;
    // Also where there is nothing, which could be said at once.
    let nowhere = CHUNKED.replace("/api/orders", "/nothing");
    let clients = [CHUNKED, &nowhere].map(async |head| {
        let started = Instant::now();
        let (mut from, mut to) = tokio::io::split(connect().await?);
        to.write_all(head.as_bytes()).await?;
        let drip = async {
            let mut bytes = interval(Duration::from_millis(200));
            while to.write_all(b"1\r\nx\r\n").await.is_ok() {
                bytes.tick().await;
            }
        };
        let mut answer = Vec::new();
        let closed = async {
            // Closed or reset, which is the same here.
            from.read_to_end(&mut answer).await.ok();
        };
        let either = async {
            tokio::select! { () = drip => {}, () = closed => {} }
        };
        timeout(REQUEST + CLOSING, either).await?;
        ensure!(started.elapsed() > REQUEST / 2, "{started:?}");
        Ok(())
    });
    try_join_all(clients).await.map(drop)
}

#[tokio::test]
async fn however_large_a_body_is_its_refusal_is_received() -> Result<()> {
    let stack = Stack::shared().await?;
    for kib in [65, 127, 129, 1_000, 10_000] {
        let body = "x".repeat(kib * 1_024);
        let whole = stack
            .gateway
            .request_of_type("/api/orders", "application/json", body.clone());
        refused(&stack.gateway.send(whole).await?, 413)?;
        let chunks = format!("{CHUNKED}{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        let answer = raw(&chunks).await?;
        ensure!(answer.starts_with("HTTP/1.1 413 "), "{kib}: {answer}");
    }
    Ok(())
}

/// On a connection that stays open, HAProxy 3.2 leaves one of some ten next requests without an answer.
#[tokio::test]
async fn whoever_sent_too_large_a_body_gets_an_answer_to_the_next_request() -> Result<()> {
    let stack = Stack::shared().await?;
    let body = "x".repeat(300 * 1_024);
    for _ in 0..100 {
        let whole = stack
            .gateway
            .request_of_type("/api/orders", "application/json", body.clone());
        refused(&stack.gateway.send(whole).await?, 413)?;
        let next = stack.gateway.post("/api/orders", &Value::Null).await?;
        refused(&next, 400)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_body_as_large_as_allowed_reaches_the_service_however_it_comes() -> Result<()> {
    let _stack = Stack::shared().await?;
    let mut order = wish(ANYTHING, 1);
    let spare = 64 * 1_024 - order.to_string().len() - r#","note":"""#.len();
    order["note"] = "x".repeat(spare).into();
    let body = order.to_string();
    assert_eq!(body.len(), 64 * 1_024);
    let chunks: String = body
        .as_bytes()
        .chunks(10)
        .map(|chunk| {
            format!(
                "{:x}\r\n{}\r\n",
                chunk.len(),
                String::from_utf8_lossy(chunk)
            )
        })
        .collect();
    let answer = raw(&format!("{CHUNKED}{chunks}0\r\n\r\n")).await?;
    ensure!(!answer.starts_with("HTTP/1.1 413 "), "{answer}");
    // What the service thinks of the note is its own affair.
    ensure!(
        answer.contains("\"lines\"") || answer.contains("note"),
        "{answer}"
    );
    Ok(())
}
