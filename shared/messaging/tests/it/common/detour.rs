use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How frames begin, after their heads, that say `basic.consume-ok` and `basic.ack`.
const CONSUME_OK: &[u8] = &[0, 60, 0, 21];
const CONFIRM: &[u8] = &[0, 60, 0, 80];

/// What is wrong with a way to RabbitMQ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The answer to the first who consumes is late, with all that follows on its channel: it arrives right before the
    /// answer to the next one on the same connection.
    LateConsumer,
    /// On the first connection nothing is confirmed that is published.
    NoConfirms,
}

/// A way to RabbitMQ with which something is wrong.
pub(crate) struct Detour {
    /// Where the way begins.
    pub(crate) address: String,
    task: JoinHandle<()>,
}

impl Detour {
    pub(crate) async fn to(broker: String, trouble: Trouble) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let is_first = Arc::new(AtomicBool::new(true));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let is_first = Arc::clone(&is_first);
                tokio::spawn(lead(client, broker.clone(), trouble, is_first));
            }
        });
        Ok(Self { address, task })
    }
}

impl Drop for Detour {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn lead(
    client: TcpStream,
    broker: String,
    trouble: Trouble,
    is_first: Arc<AtomicBool>,
) -> anyhow::Result<()> {
    let broker = TcpStream::connect(&broker).await?;
    let (mut from_client, to_client) = client.into_split();
    let (from_broker, mut to_broker) = broker.into_split();
    tokio::select! {
        there = copy(&mut from_client, &mut to_broker) => there.map(drop)?,
        back = answer(from_broker, to_client, trouble, &is_first) => back?,
    }
    Ok(())
}

async fn answer(
    mut broker: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    trouble: Trouble,
    is_first: &AtomicBool,
) -> anyhow::Result<()> {
    let is_silent = trouble == Trouble::NoConfirms && is_first.swap(false, Ordering::Relaxed);
    let mut late: Option<(u16, Vec<u8>)> = None;
    loop {
        let (channel, frame) = next_frame(&mut broker).await?;
        let method = frame.get(7..11);
        if is_silent && method == Some(CONFIRM) {
            continue;
        }
        if trouble == Trouble::LateConsumer && method == Some(CONSUME_OK) {
            if is_first.swap(false, Ordering::Relaxed) {
                late = Some((channel, Vec::new()));
            } else if let Some((_, frames)) = late.take() {
                client.write_all(&frames).await?;
            }
        }
        match &mut late {
            Some((of_channel, frames)) if *of_channel == channel => frames.extend(frame),
            _ => client.write_all(&frame).await?,
        }
    }
}

/// Its channel, and all of its bytes.
async fn next_frame(broker: &mut OwnedReadHalf) -> anyhow::Result<(u16, Vec<u8>)> {
    let mut head = [0; 7];
    broker.read_exact(&mut head).await?;
    let [_, high, low, length @ ..] = head;
    // One byte more marks the end.
    let mut rest = vec![0; usize::try_from(u32::from_be_bytes(length))? + 1];
    broker.read_exact(&mut rest).await?;
    let frame = [&head[..], &rest].concat();
    Ok((u16::from_be_bytes([high, low]), frame))
}
