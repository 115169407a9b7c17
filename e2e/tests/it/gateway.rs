//! The gateway: who gets a request, what it refuses by itself, and that nobody pays for what another client does.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bollard::Docker;
use bollard::query_parameters::KillContainerOptionsBuilder;
use futures::future::try_join_all;
use harness::{Answer, SOON, Stack, eventually, setting, wish};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{interval, sleep, timeout};

use crate::ANYTHING;

/// By then an instance that does not answer is out of the rotation.
const ROTATION: Duration = Duration::from_secs(3);
/// By then a request has to be there.
const REQUEST: Duration = Duration::from_secs(10);
/// What the gateway says where nobody else says anything.
const GATEWAYS_OWN: &str = "The service behind this address does not answer at the moment.";
/// The head of an order in chunks.
const CHUNKED: &str = "POST /api/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                       Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n";

#[tokio::test]
async fn a_frozen_instance_gets_no_requests_even_if_nobody_has_asked_for_it() -> Result<()> {
    let stack = Stack::alone().await?;
    stack.compose.up(&[("order", 2)]).await?;
    all_take_requests(&stack).await?;
    let containers = stack.compose.containers("order").await?;
    let (_, first) = containers.first_key_value().context("no container")?;

    let frozen = Frozen::freeze(&first.name).await?;
    // Not a wait for something to happen: nobody may ask meanwhile.
    sleep(ROTATION).await;
    let asked = async {
        let mut answers = Vec::new();
        for _ in 0..20 {
            let asked = Instant::now();
            let answer = stack.gateway.get("/api/orders?limit=1").await?;
            answers.push((answer.status, asked.elapsed()));
        }
        Ok(answers)
    };
    let answers: Result<_> = asked.await;
    // Whatever comes of it, nobody else shall find a frozen process.
    frozen.thaw().await?;
    let answers = answers?;
    let quick = |(status, took): &(u16, Duration)| *status == 200 && *took < ROTATION;
    ensure!(answers.iter().all(quick), "{answers:?}");
    Ok(())
}

#[tokio::test]
async fn instances_that_are_scaled_away_finish_what_they_were_asked() -> Result<()> {
    let stack = Stack::alone().await?;
    stack.compose.up(&[("order", 3)]).await?;
    all_take_requests(&stack).await?;
    let until = Instant::now() + Duration::from_secs(15);
    let clients = (0..16).map(async |number| {
        let mut answers = 0;
        while Instant::now() < until {
            let answer = if number % 2 == 0 {
                stack.gateway.get("/api/orders?limit=1").await?
            } else {
                let wish = wish(ANYTHING, 1);
                stack.gateway.post("/api/orders", &wish).await?
            };
            ensure!(matches!(answer.status, 200 | 202), "{answer:?}");
            answers += 1;
        }
        Ok(answers)
    });
    let scaled = async {
        sleep(Duration::from_secs(2)).await;
        stack.compose.scale(&[("order", 1)]).await
    };
    let (answers, ()) = tokio::try_join!(try_join_all(clients), scaled)?;
    ensure!(answers.iter().sum::<u32>() > 500, "{answers:?}");
    Ok(())
}

#[tokio::test]
async fn where_no_instance_is_ready_one_that_is_alive_says_why() -> Result<()> {
    let stack = Stack::alone().await?;
    stack.compose.stop(&["postgres"]).await?;
    sleep(ROTATION).await;
    let answer = stack.gateway.get("/api/products").await?;
    ensure!(answer.status == 503, "{answer:?}");
    let detail = &answer.body["detail"];
    ensure!(detail.is_string() && detail != GATEWAYS_OWN, "{answer:?}");
    Ok(())
}

#[tokio::test]
async fn without_a_console_the_gateway_has_a_page_of_its_own() -> Result<()> {
    let stack = Stack::alone().await?;
    stack.compose.stop(&["console"]).await?;
    eventually("the page says how to start the console", SOON, async || {
        let page = raw("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let says_how = page.contains("docker compose up -d console");
        Ok((page.starts_with("HTTP/1.1 200 ") && says_how).then_some(()))
    })
    .await?;
    refused(&stack.gateway.get("/api/console/frame").await?, 503)
}

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
        timeout(REQUEST + ROTATION, either).await?;
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

/// A process that is stopped without being told, until it is thawed.
struct Frozen {
    docker: Docker,
    name: String,
}

impl Frozen {
    /// Not by the engine's own pause, after which a container counts as unhealthy for a while.
    async fn freeze(name: &str) -> Result<Self> {
        let frozen = Self {
            docker: Docker::connect_with_unix_defaults()?,
            name: name.to_owned(),
        };
        frozen.signal("SIGSTOP").await?;
        Ok(frozen)
    }

    async fn thaw(&self) -> Result<()> {
        self.signal("SIGCONT").await
    }

    async fn signal(&self, signal: &str) -> Result<()> {
        let options = KillContainerOptionsBuilder::new().signal(signal).build();
        let sent = self.docker.kill_container(&self.name, Some(options));
        Ok(sent.await?)
    }
}

/// Waits until every instance of `order` has answered a request since now.
async fn all_take_requests(stack: &Stack) -> Result<()> {
    let containers = stack.compose.containers("order").await?;
    eventually("every instance answers", SOON, async || {
        let asked = (0..10).map(|_| stack.gateway.get("/api/orders?limit=1"));
        try_join_all(asked).await?;
        for number in containers.keys() {
            let metrics = stack.compose.metrics("order", *number).await?;
            let answered = metrics.sum("http_server_request_duration_seconds_count", "GET");
            ensure!(answered > 0.0, "{number} has answered nothing");
        }
        Ok(Some(()))
    })
    .await
}

fn refused(answer: &Answer, status: u16) -> Result<()> {
    ensure!(answer.status == status, "{answer:?}");
    ensure!(
        answer.headers["content-type"] == "application/problem+json" && answer.body != Value::Null,
        "{answer:?}"
    );
    Ok(())
}

async fn connect() -> Result<TcpStream> {
    let gateway = setting("GATEWAY_URL")?;
    Ok(TcpStream::connect(gateway.trim_start_matches("http://")).await?)
}

/// Sends this and returns all that is answered to it.
async fn raw(request: &str) -> Result<String> {
    let mut stream = connect().await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    timeout(SOON, stream.read_to_end(&mut answer)).await??;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
