//! The listening server: it finishes what it has in hand, and lets no request take for ever.

use std::{future::pending, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Result;
use axum::{Router, extract::State, routing::get};
use runtime::{Lifecycle, health::Health, http};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use utoipa_axum::router::OpenApiRouter;

/// What a request and the test tell each other.
#[derive(Clone, Default)]
struct Signals {
    arrived: Arc<Notify>,
    go_on: Arc<Notify>,
}

async fn slow(State(signals): State<Signals>) -> &'static str {
    signals.arrived.notify_one();
    signals.go_on.notified().await;
    "finished"
}

fn app(signals: Signals) -> Router {
    let routes = Router::new()
        .route("/slow", get(slow))
        .route("/never", get(pending::<()>));
    http::app(
        "served",
        OpenApiRouter::from(routes.with_state(signals)),
        Health::default(),
        &[],
    )
}

async fn serve(life: &Lifecycle, signals: Signals) -> Result<SocketAddr> {
    let addr = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    life.spawn("http", |token| http::serve(addr, app(signals), token));
    while TcpStream::connect(addr).await.is_err() {
        tokio::task::yield_now().await;
    }
    Ok(addr)
}

async fn call(addr: SocketAddr, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(addr).await?;
    stream
        .write_all(
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                .as_bytes(),
        )
        .await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn a_request_in_hand_is_answered_after_the_stop_and_no_new_one_is_taken() -> Result<()> {
    let (life, signals) = (Lifecycle::default(), Signals::default());
    let addr = serve(&life, signals.clone()).await?;
    let request = tokio::spawn(call(addr, "/slow"));
    signals.arrived.notified().await;
    life.stop();
    while TcpStream::connect(addr).await.is_ok() {
        tokio::task::yield_now().await;
    }
    signals.go_on.notify_one();
    assert!(request.await??.ends_with("finished"));
    life.finish(Duration::from_secs(5)).await
}

#[tokio::test]
async fn who_asks_once_more_after_the_stop_is_answered_and_told_that_it_was_the_last_time()
-> Result<()> {
    let life = Lifecycle::default();
    let addr = serve(&life, Signals::default()).await?;
    let mut idle = TcpStream::connect(addr).await?;
    let request = b"GET /health/live HTTP/1.1\r\nhost: test\r\n\r\n";
    idle.write_all(request).await?;
    let mut answer = [0; 4_096];
    let read = idle.read(&mut answer).await?;
    let text = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(!text.contains("connection: close"), "{text}");

    life.stop();
    let ready = call(addr, "/health/ready").await?;
    assert!(ready.starts_with("HTTP/1.1 503 "), "{ready}");
    // A gateway that has not asked yet still sends requests, on connections that were idle as well.
    idle.write_all(request).await?;
    let mut last = String::new();
    idle.read_to_string(&mut last).await?;
    assert!(last.starts_with("HTTP/1.1 200 "), "{last}");
    assert!(last.contains("connection: close"), "{last}");
    life.finish(Duration::from_secs(5)).await
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_503_with_retry_after() -> Result<()> {
    let life = Lifecycle::default();
    let addr = serve(&life, Signals::default()).await?;
    let answer = call(addr, "/never").await?;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(
        answer.to_lowercase().contains("\r\nretry-after: 1\r\n"),
        "{answer}"
    );
    Ok(())
}

#[tokio::test]
async fn a_request_is_read_to_its_end_before_it_is_refused() -> Result<()> {
    let life = Lifecycle::default();
    let addr = serve(&life, Signals::default()).await?;
    let mut stream = TcpStream::connect(addr).await?;

    // On one connection, which is of no use any more once the server has closed it.
    for path in ["/nothing", "/slow"] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
        // By the time that this is answered the server has seen what came before it.
        call(addr, "/nothing").await?;
        stream.write_all(b"body").await?;

        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            assert_ne!(stream.read_buf(&mut answer).await?, 0, "{path} was closed");
        }
        let answer = String::from_utf8(answer)?;
        assert!(answer.starts_with("HTTP/1.1 40"), "{answer}");
        assert!(!answer.contains("connection: close"), "{answer}");
    }
    life.stop();
    Ok(())
}
