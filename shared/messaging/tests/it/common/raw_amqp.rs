use anyhow::{Context, bail};
use lapin::uri::AMQPUri;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

/// Numbers of properties, by the bit that says that they are there.
pub(crate) const CONTENT_TYPE: u16 = 15;
pub(crate) const HEADERS: u16 = 13;
pub(crate) const CORRELATION_ID: u16 = 10;
pub(crate) const REPLY_TO: u16 = 9;
pub(crate) const MESSAGE_ID: u16 = 7;
pub(crate) const TYPE: u16 = 5;
pub(crate) const APP_ID: u16 = 3;

const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
/// The frame that RabbitMQ agrees to, without what is around its payload.
const ROOM: usize = 131_072 - 8;

const BASIC: u16 = 60;
const ACK: u16 = 80;
const NACK: u16 = 120;
const CLOSE_CHANNEL: (u16, u16) = (20, 40);
const CLOSE_CONNECTION: (u16, u16) = (10, 50);

/// Publishes whatever bytes it is given, as libraries do that check nothing.
pub(crate) struct RawClient {
    socket: BufStream<TcpStream>,
}

impl RawClient {
    pub(crate) async fn connect(uri: &AMQPUri) -> anyhow::Result<Self> {
        let address = (uri.authority.host.as_str(), uri.authority.port);
        let socket = BufStream::new(TcpStream::connect(address).await?);
        let mut client = Self { socket };
        let user = &uri.authority.userinfo;
        let login = format!("\0{}\0{}", user.username, user.password);
        client.socket.write_all(b"AMQP\0\0\x09\x01").await?;
        client.socket.flush().await?;
        client.answer().await?;
        let start = [
            &[0; 4],
            &short(b"PLAIN")[..],
            &long(login.as_bytes()),
            &short(b"en_US"),
        ];
        client.method(0, (10, 11), &start.concat()).await?;
        client.answer().await?;
        let tuned = [
            &2047u16.to_be_bytes()[..],
            &131_072u32.to_be_bytes(),
            &[0, 0],
        ];
        client.method(0, (10, 31), &tuned.concat()).await?;
        let open = [short(uri.vhost.as_bytes()), vec![0, 0]].concat();
        client.method(0, (10, 40), &open).await?;
        client.answer().await?;
        client.method(1, (20, 10), &[0]).await?;
        client.answer().await?;
        // Confirms.
        client.method(1, (85, 10), &[0]).await?;
        client.answer().await?;
        Ok(client)
    }

    /// Publishes and waits for the confirm. `false` if the broker will not have it; then this client is of
    /// no more use.
    pub(crate) async fn publish(
        &mut self,
        (exchange, key): (&[u8], &[u8]),
        properties: &[u8],
        body: &[u8],
    ) -> anyhow::Result<bool> {
        let to = [vec![0, 0], short(exchange), short(key), vec![0]].concat();
        self.method(1, (BASIC, 40), &to).await?;
        let length = u64::try_from(body.len())?.to_be_bytes();
        let header = [&BASIC.to_be_bytes(), &[0, 0][..], &length, properties].concat();
        self.frame(HEADER, 1, &header).await?;
        for part in body.chunks(ROOM) {
            self.frame(BODY, 1, part).await?;
        }
        // A broker that has enough of it closes the connection, with or without a word.
        match self.answer().await {
            Ok((BASIC, ACK)) => Ok(true),
            Ok((BASIC, NACK)) | Ok(CLOSE_CHANNEL) | Ok(CLOSE_CONNECTION) | Err(_) => Ok(false),
            Ok(other) => bail!("unexpected method {other:?}"),
        }
    }

    async fn method(&mut self, channel: u16, id: (u16, u16), rest: &[u8]) -> anyhow::Result<()> {
        let payload = [&id.0.to_be_bytes(), &id.1.to_be_bytes()[..], rest].concat();
        self.frame(METHOD, channel, &payload).await
    }

    async fn frame(&mut self, kind: u8, channel: u16, payload: &[u8]) -> anyhow::Result<()> {
        let channel = channel.to_be_bytes();
        let frame = [&[kind], &channel[..], &long(payload), &[0xCE]].concat();
        self.socket.write_all(&frame).await?;
        Ok(self.socket.flush().await?)
    }

    /// Class and id of the next method.
    async fn answer(&mut self) -> anyhow::Result<(u16, u16)> {
        let kind = self.socket.read_u8().await?;
        let _channel = self.socket.read_u16().await?;
        let length = self.socket.read_u32().await?;
        let mut payload = vec![0; usize::try_from(length)? + 1];
        self.socket.read_exact(&mut payload).await?;
        anyhow::ensure!(kind == METHOD, "a frame of type {kind}");
        let id = payload.first_chunk::<4>().context("no method")?;
        let half = |a, b| u16::from_be_bytes([id[a], id[b]]);
        Ok((half(0, 1), half(2, 3)))
    }
}

/// The encoded properties of these bits, which have to be in falling order.
pub(crate) fn properties(parts: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let flags = parts.iter().fold(0u16, |flags, (bit, _)| flags | 1 << bit);
    let values = parts.iter().flat_map(|(_, value)| value.clone());
    flags.to_be_bytes().into_iter().chain(values).collect()
}

/// A table of these names and values, the values with their types in front.
pub(crate) fn table(entries: &[(&[u8], Vec<u8>)]) -> Vec<u8> {
    let entries = entries
        .iter()
        .flat_map(|(name, value)| [short(name), value.clone()]);
    long(&entries.collect::<Vec<_>>().concat())
}

/// A value of a table.
pub(crate) fn text(value: &[u8]) -> Vec<u8> {
    [b"S", &long(value)[..]].concat()
}

pub(crate) fn short(value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(value.len()).unwrap_or(u8::MAX);
    [&[length], &value[..usize::from(length)]].concat()
}

pub(crate) fn long(value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), value].concat()
}
