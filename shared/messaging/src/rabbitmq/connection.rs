use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tracing::info;

use super::sieve;
use super::unrouted::Unrouted;
use crate::refusals::Refusals;

/// Limit for every step of opening a connection or channel: a server that accepts TCP and then
/// stays silent would otherwise hold us for ever.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);
/// The broker requeues what a silent consumer holds after two to three of these.
const HEARTBEAT_SECONDS: u16 = 3;
/// What a broker offers anyway. lapin keeps buffers of 64 frames for each connection; told the size
/// beforehand, it does not touch those 8 MiB until they are used. Not less: all headers of a message
/// come in one frame, and a larger frame from another client's message would end the connection.
pub(crate) const FRAME_BYTES: u32 = 128 * 1024;

/// What a connection is for. A broker that is short of memory or disk stops reading from
/// connections that publish; acknowledgements must not wait behind that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Publish,
    Consume,
}

/// Two connections to RabbitMQ, opened when needed and again when lost.
///
/// lapin's own recovery stays off: the loops that use a channel start over when it fails, which
/// they have to be able to do anyway.
#[derive(Clone)]
pub(crate) struct RabbitMq {
    inner: Arc<Inner>,
}

struct Inner {
    uri: AMQPUri,
    service: &'static str,
    publish: Mutex<Option<Open>>,
    consume: Mutex<Option<Open>>,
    connected: AtomicBool,
    refusals: Arc<Refusals>,
    unrouted: Unrouted,
}

/// A connection, and since when there is one.
struct Open {
    connection: Connection,
    since: Instant,
}

impl RabbitMq {
    pub(crate) fn new(
        url: &str,
        service: &'static str,
        refusals: Arc<Refusals>,
    ) -> anyhow::Result<Self> {
        let mut uri: AMQPUri = url
            .parse()
            .map_err(|error| anyhow::anyhow!("AMQP_URL is not an AMQP address: {error}"))?;
        uri.query.heartbeat = Some(HEARTBEAT_SECONDS);
        uri.query.frame_max = Some(FRAME_BYTES);
        Ok(Self {
            inner: Arc::new(Inner {
                uri,
                service,
                publish: Mutex::default(),
                consume: Mutex::default(),
                connected: AtomicBool::new(false),
                refusals,
                unrouted: Unrouted::default(),
            }),
        })
    }

    /// Whether the last attempt to use the broker succeeded.
    pub(crate) fn is_connected(&self) -> bool {
        self.inner.connected.load(Ordering::Relaxed)
    }

    /// What the broker refuses to declare.
    pub(super) fn refusals(&self) -> &Refusals {
        &self.inner.refusals
    }

    /// What this process published in vain.
    pub(super) fn unrouted(&self) -> &Unrouted {
        &self.inner.unrouted
    }

    /// A new channel, on a new connection if the last one is gone. One attempt; the caller backs
    /// off.
    pub(crate) async fn channel(&self, purpose: Purpose) -> anyhow::Result<Channel> {
        let channel = self.try_channel(purpose).await;
        self.inner
            .connected
            .store(channel.is_ok(), Ordering::Relaxed);
        channel
    }

    async fn try_channel(&self, purpose: Purpose) -> anyhow::Result<Channel> {
        let slot = match purpose {
            Purpose::Publish => &self.inner.publish,
            Purpose::Consume => &self.inner.consume,
        };
        let mut slot = slot.lock().await;
        let open = match slot
            .take()
            .filter(|open| open.connection.status().connected())
        {
            Some(open) => open,
            None => Open {
                connection: self.connect(purpose).await?,
                since: Instant::now(),
            },
        };
        let open = slot.insert(open);
        // It reads nothing, so neither a new channel nor the end of this connection would be noticed: one more
        // connection for each attempt would stay until it goes on.
        ensure!(
            !open.connection.status().blocked(),
            "RabbitMQ takes nothing from anybody at present"
        );
        let channel = timeout(TIMEOUT, open.connection.create_channel()).await;
        let channel = channel
            .context("RabbitMQ did not open a channel in time")
            .and_then(|channel| channel.context("cannot open a channel"));
        if channel.is_err() {
            *slot = None;
        }
        channel
    }

    /// Lets the next channel to publish on have another connection, since nothing was confirmed in time on this one: in
    /// a cluster it may lead to a node that has lost its peers, and the next one to another node. Whoever has a channel
    /// on it may go on, and with the last of them it is closed.
    ///
    /// A broker that blocks publishers confirms nothing either. It would not even read that a connection is closed.
    pub(super) fn publish_elsewhere(&self) {
        // Whoever has the lock is about to connect.
        let Ok(mut slot) = self.inner.publish.try_lock() else {
            return;
        };
        // A younger one is not the one that was waited for.
        let is_silent =
            |open: &Open| open.since.elapsed() >= TIMEOUT && !open.connection.status().blocked();
        if slot.as_ref().is_some_and(is_silent) {
            *slot = None;
        }
    }

    async fn connect(&self, purpose: Purpose) -> anyhow::Result<Connection> {
        let uri = self.inner.uri.clone();
        let name = format!("{} ({purpose:?})", self.inner.service).to_lowercase();
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let connection = timeout(TIMEOUT, sieve::connect(uri, properties))
            .await
            .context("RabbitMQ did not answer in time")?
            .context("cannot connect to RabbitMQ")?;
        info!(?purpose, "connected to RabbitMQ");
        Ok(connection)
    }
}

/// Closes a channel of which nobody knows any more in what state the broker has it. The broker may be gone, so
/// nobody waits for its answer.
pub(super) fn abandon(channel: &Channel) {
    let channel = channel.clone();
    tokio::spawn(async move { channel.close(200, "starting over".into()).await });
}
