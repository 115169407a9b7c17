//! Requests that are none of the API's, from somebody whose client checks nothing.

use std::time::Duration;

use anyhow::{Context, Result};
use fastrand::Rng;
use harness::setting;
use reqwest::Url;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use uuid::Uuid;

use crate::Arena;

/// Three a second.
const PAUSE: Duration = Duration::from_millis(333);
/// For an answer. A request that never ends is left to those that wait for its end.
const TIME_LIMIT: Duration = Duration::from_millis(500);
/// So many requests that never end are open at once.
const OPEN: usize = 16;

/// Somebody who asks for nothing that can be had. Each order is for a customer of its own, so that the
/// checker finds one that was taken nevertheless.
pub(crate) struct Nonsense {
    rng: Rng,
    /// Requests whose end is still to come.
    open: Vec<TcpStream>,
    was_answered: bool,
}

impl Nonsense {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            open: Vec::new(),
            was_answered: false,
        }
    }

    pub(super) fn remark(&self) -> Option<String> {
        (!self.was_answered).then(|| "nothing was answered".to_owned())
    }
}

impl Arena {
    /// The next request. A gateway that does not answer is not waited for.
    pub(super) async fn ask_nonsense(&self, nonsense: &mut Nonsense) -> Duration {
        let kind = nonsense.rng.u8(..7);
        if let Ok(Ok(stream)) = timeout(TIME_LIMIT, send(&request(kind))).await {
            if kind == 0 {
                nonsense.keep_open(stream).await;
            } else {
                nonsense.was_answered |= is_answered(stream).await;
            }
        }
        PAUSE
    }
}

impl Nonsense {
    /// One more byte for each request that never ends.
    async fn keep_open(&mut self, new: TcpStream) {
        self.open.push(new);
        let mut open = Vec::new();
        for mut stream in self.open.drain(..) {
            let sent = timeout(TIME_LIMIT, stream.write_all(b" ")).await;
            // The gateway closes what takes too long.
            if matches!(sent, Ok(Ok(()))) && open.len() < OPEN {
                open.push(stream);
            }
        }
        self.open = open;
    }
}

async fn send(request: &str) -> Result<TcpStream> {
    let url = Url::parse(&setting("GATEWAY_URL")?)?;
    let host = url.host_str().context("GATEWAY_URL without a host")?;
    let port = url.port_or_known_default().unwrap_or(80);
    let mut stream = TcpStream::connect((host, port)).await?;
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}

async fn is_answered(mut stream: TcpStream) -> bool {
    let mut start = [0; 12];
    let read = timeout(TIME_LIMIT, stream.read_exact(&mut start)).await;
    matches!(read, Ok(Ok(_)))
}

/// An order that would be fine if it were asked for in another way.
fn request(kind: u8) -> String {
    let email = format!("{}@stranger.example", Uuid::now_v7());
    let line = json!({"sku": "MAP-RIVERS", "quantity": 1});
    let order = json!({"customer": {"email": email}, "lines": [line]}).to_string();
    let length = order.len();
    let head = |host: &str, more: &str| {
        format!("POST /api/orders HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n\r\n")
    };
    let json = "Content-Type: application/json";
    let chunked = head(
        "localhost",
        &format!("{json}\r\nTransfer-Encoding: chunked"),
    );
    let whole = |host: &str, more: &str| {
        head(host, &format!("{more}\r\nContent-Length: {length}")) + &order
    };
    match kind {
        // A chunk that has room for many more bytes.
        0 => format!("{chunked}FFFF\r\n{order}"),
        1 => format!("{chunked}ZZ\r\n{order}\r\n0\r\n\r\n"),
        // A chunk that is longer than it says.
        2 => format!("{chunked}1\r\n{order}\r\n0\r\n\r\n"),
        3 => whole(
            "localhost",
            "Content-Type: application/x-www-form-urlencoded",
        ),
        4 => whole("localhost", "Content-Type: text/plain"),
        5 => whole("evil.example", json),
        _ => whole(
            "localhost",
            &format!("{json}\r\nOrigin: http://evil.example"),
        ),
    }
}
