use std::cell::RefCell;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// No answer within this time counts as a failure.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// An HTTP/1.1 client for one address: writes prepared requests, keeps its connections.
pub(super) struct Client {
    address: String,
    idle: RefCell<Vec<Connection>>,
    connections: Semaphore,
}

/// What there is to know about an answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) location: Option<String>,
}

struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Client {
    /// For `http://host:port`, with at most so many connections.
    pub(super) fn new(url: &str, connections: usize) -> Result<Self> {
        let address = url
            .strip_prefix("http://")
            .context("GATEWAY_URL does not start with http://")?;
        Ok(Self {
            address: address.trim_end_matches('/').to_owned(),
            idle: RefCell::default(),
            connections: Semaphore::new(connections),
        })
    }

    /// A complete request.
    pub(super) fn request(&self, path: &str, body: &str) -> Vec<u8> {
        let (host, length) = (&self.address, body.len());
        format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    /// Sends it as soon as a connection is free.
    pub(super) async fn send(&self, request: &[u8]) -> Result<Answer> {
        let _permit = self.connections.acquire().await?;
        timeout(TIME_LIMIT, self.exchange(request))
            .await
            .context("no answer in time")?
    }

    async fn exchange(&self, request: &[u8]) -> Result<Answer> {
        let idle = self.idle.borrow_mut().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => Connection::open(&self.address).await?,
        };
        connection.stream.write_all(request).await?;
        let answer = connection.answer().await?;
        self.idle.borrow_mut().push(connection);
        Ok(answer)
    }
}

impl Connection {
    async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| address.to_owned())?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::with_capacity(4096),
        })
    }

    /// Reads one answer to its end, so that the next one starts at the front.
    async fn answer(&mut self) -> Result<Answer> {
        self.received.clear();
        loop {
            let count = self.stream.read_buf(&mut self.received).await?;
            ensure!(count > 0, "the connection was closed before the answer");
            if let Some((answer, length)) = parse(&self.received)?
                && self.received.len() >= length
            {
                return Ok(answer);
            }
        }
    }
}

/// The answer and its length with the body, once its headers are complete.
fn parse(received: &[u8]) -> Result<Option<(Answer, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(received)? else {
        return Ok(None);
    };
    let status = response.code.unwrap_or_default();
    let (mut location, mut length) = (None, None);
    for header in response.headers.iter() {
        let value = || std::str::from_utf8(header.value);
        if header.name.eq_ignore_ascii_case("location") {
            location = Some(value()?.to_owned());
        } else if header.name.eq_ignore_ascii_case("content-length") {
            length = Some(value()?.parse::<usize>()?);
        }
    }
    match length {
        Some(length) => Ok(Some((Answer { status, location }, head + length))),
        None => bail!("an answer without content-length"),
    }
}
