use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::setting;

/// A broker that blocks its publishers answers when it does so no more.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// The bits that say which properties are there.
const HEADERS: u16 = 1 << 13;
const DELIVERY_MODE: u16 = 1 << 12;
const MESSAGE_ID: u16 = 1 << 7;
const TYPE: u16 = 1 << 5;
const PERSISTENT: u8 = 2;

const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
const END: u8 = 0xCE;
/// The longest frame, which everybody agrees to.
const FRAME: u32 = 131_072;

/// Class and method.
type Method = (u16, u16);
const START_OK: Method = (10, 11);
const TUNE_OK: Method = (10, 31);
const OPEN: Method = (10, 40);
const OPEN_CHANNEL: Method = (20, 10);
const SELECT_CONFIRMS: Method = (85, 10);
const PUBLISH: Method = (60, 40);
const ACK: Method = (60, 80);

/// An AMQP message in bytes of anybody's choice, as libraries send it that check nothing.
#[derive(Debug, Clone, Default)]
pub struct RawMessage {
    /// The message id, of 255 bytes at most.
    pub message_id: Vec<u8>,
    /// The type, of 255 bytes at most.
    pub message_type: Vec<u8>,
    /// Names of 255 bytes at most, and values.
    pub headers: Vec<(Vec<u8>, RawValue)>,
    /// The body, which fits into one frame.
    pub body: Vec<u8>,
}

/// The value of a header.
#[derive(Debug, Clone)]
pub enum RawValue {
    /// A long string.
    Text(Vec<u8>),
    /// Tables in tables, so many of them.
    Nested(usize),
}

/// A client that knows just enough AMQP to publish a [`RawMessage`].
pub struct RawAmqp {
    socket: BufStream<TcpStream>,
}

impl RawAmqp {
    /// Connects to `AMQP_URL`.
    ///
    /// # Errors
    ///
    /// When the broker does not let it in within 10 s.
    pub async fn connect() -> Result<Self> {
        let url = Url::parse(&setting("AMQP_URL")?)?;
        timeout(TIME_LIMIT, Self::log_in(&url)).await?
    }

    async fn log_in(url: &Url) -> Result<Self> {
        let host = url.host_str().context("AMQP_URL without a host")?;
        let socket = TcpStream::connect((host, url.port().unwrap_or(5672))).await?;
        let mut client = Self {
            socket: BufStream::new(socket),
        };
        client.socket.write_all(b"AMQP\0\0\x09\x01").await?;
        client.socket.flush().await?;
        client.answer().await?;
        let password = url.password().unwrap_or_default();
        let login = format!("\0{}\0{password}", url.username());
        let start = [
            &[0; 4],
            &short(b"PLAIN")[..],
            &long(login.as_bytes()),
            &short(b"en_US"),
        ];
        client.method(0, START_OK, &start.concat()).await?;
        client.answer().await?;
        // One channel, and no heartbeat.
        let tuned = [&[0, 1][..], &FRAME.to_be_bytes(), &[0, 0]].concat();
        client.method(0, TUNE_OK, &tuned).await?;
        let vhost = url.path().trim_start_matches('/');
        let open = [&short(vhost.as_bytes())[..], &[0, 0]].concat();
        client.method(0, OPEN, &open).await?;
        client.answer().await?;
        client.method(1, OPEN_CHANNEL, &[0]).await?;
        client.answer().await?;
        client.method(1, SELECT_CONFIRMS, &[0]).await?;
        client.answer().await?;
        Ok(client)
    }

    /// Puts a persistent message into a queue, and returns when the broker has confirmed it.
    ///
    /// # Errors
    ///
    /// When it is not confirmed within 10 s. Then nobody knows whether it is there, and the client is of no more
    /// use.
    pub async fn publish(&mut self, queue: &str, message: &RawMessage) -> Result<()> {
        timeout(TIME_LIMIT, self.send(queue, message)).await?
    }

    async fn send(&mut self, queue: &str, message: &RawMessage) -> Result<()> {
        let to = [
            &[0, 0][..],
            &short(b""),
            &short(queue.as_bytes()),
            // Neither mandatory nor immediate.
            &[0],
        ];
        self.method(1, PUBLISH, &to.concat()).await?;
        let (class, _) = PUBLISH;
        let length = u64::try_from(message.body.len())?.to_be_bytes();
        let header = [
            &class.to_be_bytes()[..],
            &[0, 0],
            &length,
            &message.properties(),
        ];
        self.frame(HEADER, 1, &header.concat()).await?;
        if !message.body.is_empty() {
            self.frame(BODY, 1, &message.body).await?;
        }
        match self.answer().await? {
            ACK => Ok(()),
            other => bail!("the broker answers with method {other:?}"),
        }
    }

    async fn method(&mut self, channel: u16, (class, method): Method, rest: &[u8]) -> Result<()> {
        let payload = [&class.to_be_bytes()[..], &method.to_be_bytes(), rest].concat();
        self.frame(METHOD, channel, &payload).await
    }

    async fn frame(&mut self, kind: u8, channel: u16, payload: &[u8]) -> Result<()> {
        let channel = channel.to_be_bytes();
        let frame = [&[kind], &channel[..], &long(payload), &[END]].concat();
        self.socket.write_all(&frame).await?;
        Ok(self.socket.flush().await?)
    }

    async fn answer(&mut self) -> Result<Method> {
        let kind = self.socket.read_u8().await?;
        let _channel = self.socket.read_u16().await?;
        let length = self.socket.read_u32().await?;
        ensure!(kind == METHOD && length <= FRAME, "no method: {kind}");
        let class = self.socket.read_u16().await?;
        let method = self.socket.read_u16().await?;
        let mut rest = vec![0; (usize::try_from(length)? + 1).saturating_sub(4)];
        self.socket.read_exact(&mut rest).await?;
        Ok((class, method))
    }
}

impl RawMessage {
    fn properties(&self) -> Vec<u8> {
        let headers = self.headers.iter().flat_map(|(name, value)| {
            let value = match value {
                RawValue::Text(text) => [b"S", &long(text)[..]].concat(),
                RawValue::Nested(depth) => nested(*depth),
            };
            [short(name), value].concat()
        });
        let flags = HEADERS | DELIVERY_MODE | MESSAGE_ID | TYPE;
        [
            &flags.to_be_bytes()[..],
            &long(&headers.collect::<Vec<_>>()),
            &[PERSISTENT],
            &short(&self.message_id),
            &short(&self.message_type),
        ]
        .concat()
    }
}

fn nested(depth: usize) -> Vec<u8> {
    (0..depth).fold(vec![b'V'], |inner, _| {
        [b"F", &long(&[&short(b"in"), &inner[..]].concat())[..]].concat()
    })
}

/// With its length in front, and cut where that has no room for it.
fn short(bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    [&[length], &bytes[..usize::from(length)]].concat()
}

fn long(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), bytes].concat()
}
