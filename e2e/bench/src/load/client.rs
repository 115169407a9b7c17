use std::io::ErrorKind;
use std::sync::{Mutex, MutexGuard, PoisonError};
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
    idle: Mutex<Vec<Connection>>,
    connections: Semaphore,
}

/// What there is to know about an answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    /// Whether the connection ends with it.
    is_last: bool,
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
            idle: Mutex::default(),
            connections: Semaphore::new(connections),
        })
    }

    /// A complete request that places something.
    pub(super) fn request(&self, path: &str, body: &str) -> Vec<u8> {
        let (host, length) = (&self.address, body.len());
        format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    /// The same for one that only reads.
    pub(super) fn reading(&self, path: &str) -> Vec<u8> {
        format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address).into_bytes()
    }

    /// Sends it as soon as a connection is free.
    pub(super) async fn send(&self, request: &[u8]) -> Result<Answer> {
        let _permit = self.connections.acquire().await?;
        timeout(TIME_LIMIT, self.exchange(request))
            .await
            .context("no answer in time")?
    }

    async fn exchange(&self, request: &[u8]) -> Result<Answer> {
        let mut connection = match self.open_one() {
            Some(connection) => connection,
            None => Connection::open(&self.address).await?,
        };
        connection.stream.write_all(request).await?;
        let answer = connection.answer().await?;
        if !answer.is_last {
            self.idle().push(connection);
        }
        Ok(answer)
    }

    /// The connection that was used last. The gateway closes those that nobody has used for a minute.
    fn open_one(&self) -> Option<Connection> {
        let mut idle = self.idle();
        std::iter::from_fn(|| idle.pop()).find(Connection::is_open)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Nothing is to be read from it, not even its end.
    fn is_open(&self) -> bool {
        let read = self.stream.try_read(&mut [0]);
        read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
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
    let (mut location, mut length, mut is_last) = (None, None, false);
    for header in response.headers.iter() {
        let value = || std::str::from_utf8(header.value);
        if header.name.eq_ignore_ascii_case("location") {
            location = Some(value()?.to_owned());
        } else if header.name.eq_ignore_ascii_case("content-length") {
            length = Some(value()?.parse::<usize>()?);
        } else if header.name.eq_ignore_ascii_case("connection") {
            is_last = value()?.eq_ignore_ascii_case("close");
        }
    }
    let Some(length) = length else {
        bail!("an answer without content-length");
    };
    let answer = Answer {
        status,
        location,
        is_last,
    };
    Ok(Some((answer, head + length)))
}

#[cfg(test)]
mod tests {
    use harness::{SOON, eventually};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_connection_that_was_closed_is_not_used_again() -> Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let client = Client::new(&format!("http://{}", listener.local_addr()?), 1)?;
        let request = client.request("/", "");
        let answer = async || {
            let (mut stream, _) = listener.accept().await?;
            stream.read_u8().await?;
            let answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer).await?;
            anyhow::Ok(())
        };
        for _ in 0..2 {
            let (sent, answered) = tokio::join!(client.send(&request), answer());
            answered?;
            assert_eq!(sent?.status, 202);
            eventually("its end is seen", SOON, async || {
                let is_closed = client.idle().iter().all(|idle| !idle.is_open());
                Ok(is_closed.then_some(()))
            })
            .await?;
        }
        Ok(())
    }

    #[test]
    fn an_answer_says_when_the_connection_ends_with_it() -> Result<()> {
        for (header, is_last) in [("", false), ("Connection: close\r\n", true)] {
            let answer = format!("HTTP/1.1 503 -\r\n{header}Content-Length: 2\r\n\r\nno");
            let (answer, length) = parse(answer.as_bytes())?.context("it is complete")?;
            assert_eq!((answer.status, answer.is_last), (503, is_last));
            assert!(length > 2);
        }
        Ok(())
    }
}
