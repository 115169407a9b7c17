//! A stream from the broker in which lapin finds only what it can read, and not more of it than can be borne.

use std::io;
use std::mem;
use std::net::SocketAddr;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio};
use futures::io::{AsyncRead, AsyncWrite};
use lapin::tcp::{AMQPUriTcpExt, AsyncTcpStream};
use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties};

use self::frames::Frames;
use self::undone::Undone;
use self::written::Written;

mod check;
mod frames;
mod readable;
mod undone;
mod written;

pub(super) use readable::BECAUSE;

/// How much is read from the socket at once.
const CHUNK: usize = 32 * 1024;

/// A frame that says nothing but that the other side is there.
const HEARTBEAT: [u8; 8] = [8, 0, 0, 0, 0, 0, 0, 0xCE];

/// Connects to the broker through a [`Sieve`].
pub(super) async fn connect(
    uri: AMQPUri,
    properties: ConnectionProperties,
) -> lapin::Result<Connection> {
    let tokio = Tokio::current();
    let runtime = Runtime::new(tokio.clone());
    let sieving = Runtime::new(RuntimeParts::new(tokio.clone(), Sieving(tokio)));
    let connect = async move |uri: AMQPUri, _| {
        let stream = uri.connect_async(&runtime).await?;
        // Plain for lapin: what is encrypted was decrypted before it gets into the sieve.
        Ok(AsyncTcpStream::Plain(Sieve::new(stream)))
    };
    Connection::connector(uri, sieving, connect, properties).await
}

type Socket = AsyncTcpStream<<Tokio as Reactor>::TcpStream>;

/// The reactor of tokio, whose streams go through a sieve.
#[derive(Debug, Clone)]
struct Sieving(Tokio);

impl Reactor for Sieving {
    type TcpStream = Sieve<Socket>;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: io::Read + io::Write + Send + 'static>(
        &self,
        _: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        Err::<Self::TcpStream, _>(io::ErrorKind::Unsupported.into())
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn interval(
        &self,
        duration: Duration,
    ) -> impl futures::Stream<Item = std::time::Instant> + Send + 'static {
        self.0.interval(duration)
    }

    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        let connected = self.0.tcp_connect_addr(address);
        async { Ok(Sieve::new(AsyncTcpStream::Plain(connected.await?))) }
    }
}

/// Passes on what it reads, frame by frame, each of them in a form that lapin can read. While too many bytes of messages
/// are undone it reads nothing: the broker has to wait.
struct Sieve<S> {
    stream: S,
    frames: Frames,
    chunk: Box<[u8]>,
    /// The part of the chunk that has not been passed on.
    unread: Range<usize>,
    /// What lapin has not taken yet.
    passed: Vec<u8>,
    taken: usize,
    undone: Undone,
    written: Written,
    /// Lapin, while nothing is read.
    waiting: Option<Waker>,
    /// Lapin has written something, for example a heartbeat, since it has last got one for it. It would take a broker
    /// that says nothing at all for dead.
    owes_heartbeat: bool,
}

impl<S> Sieve<S> {
    fn new(stream: S) -> Self {
        Self {
            stream,
            frames: Frames::default(),
            chunk: vec![0; CHUNK].into(),
            unread: 0..0,
            passed: Vec::new(),
            taken: 0,
            undone: Undone::default(),
            written: Written::default(),
            waiting: None,
            owes_heartbeat: false,
        }
    }

    fn is_halted(&self) -> bool {
        self.undone.is_full() && self.frames.is_between()
    }

    /// Passes on what was read, as far as it may be.
    fn pass(&mut self) {
        while !self.unread.is_empty() && !self.is_halted() {
            let bytes = &self.chunk[self.unread.clone()];
            let taken = self.frames.pass(bytes, &mut self.passed, &mut self.undone);
            self.unread.start += taken;
        }
    }

    fn wrote(&mut self, bytes: &[u8]) {
        self.written.note(bytes, &mut self.undone);
        self.owes_heartbeat = true;
        if let Some(waiting) = self.waiting.take() {
            waiting.wake();
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Sieve<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        while this.taken == this.passed.len() {
            this.passed.clear();
            this.taken = 0;
            if this.is_halted() {
                if mem::take(&mut this.owes_heartbeat) {
                    this.passed.extend_from_slice(&HEARTBEAT);
                    break;
                }
                this.waiting = Some(context.waker().clone());
                return Poll::Pending;
            }
            if this.unread.is_empty() {
                let read = Pin::new(&mut this.stream).poll_read(context, &mut this.chunk);
                this.unread = match ready!(read)? {
                    0 => return Poll::Ready(Ok(0)),
                    count => 0..count,
                };
            }
            this.pass();
        }
        let left = &this.passed[this.taken..];
        let count = left.len().min(buffer.len());
        buffer[..count].copy_from_slice(&left[..count]);
        this.taken += count;
        Poll::Ready(Ok(count))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Sieve<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.wrote(&bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, bytes))?;
        let mut left = count;
        for part in bytes {
            let length = part.len().min(left);
            self.wrote(&part[..length]);
            left -= length;
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(context)
    }
}

#[cfg(test)]
mod tests;
