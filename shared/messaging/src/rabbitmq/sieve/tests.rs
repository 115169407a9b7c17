use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use super::undone::LIMIT;
use super::*;

/// A broker that sends what it has, and takes everything.
struct Broker {
    sends: Vec<u8>,
    sent: usize,
}

impl AsyncRead for Broker {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let left = &self.sends[self.sent..];
        let count = left.len().min(buffer.len());
        buffer[..count].copy_from_slice(&left[..count]);
        self.sent += count;
        match count {
            0 => Poll::Pending,
            _ => Poll::Ready(Ok(count)),
        }
    }
}

impl AsyncWrite for Broker {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_broker_waits_while_too_much_is_undone() -> io::Result<()> {
    let size = usize::try_from(LIMIT).unwrap_or_default();
    let deliveries = [delivery(1, size), delivery(2, size), delivery(3, size)];
    let length = deliveries[0].len();
    let broker = Broker {
        sends: deliveries.concat(),
        sent: 0,
    };
    let mut sieve = Sieve::new(broker);
    let woken = Arc::<Woken>::default();
    let waker = Waker::from(Arc::clone(&woken));
    let context = &mut Context::from_waker(&waker);
    assert!(read(&mut sieve, context)? == deliveries[0]);

    // What is written wakes whoever reads, and lets it know that the broker is alive.
    write(&mut sieve, context, b"AMQP\0\0\x09\x01")?;
    write(&mut sieve, context, &HEARTBEAT)?;
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    assert_eq!(read(&mut sieve, context)?, HEARTBEAT);
    assert!(read(&mut sieve, context)?.is_empty());

    // As soon as the first is acknowledged, the second comes.
    let acknowledged = [
        &[1, 0, 1, 0, 0, 0, 13, 0, 60, 0, 80][..],
        &1u64.to_be_bytes(),
        &[0, 0xCE],
    ];
    write(&mut sieve, context, &acknowledged.concat())?;
    assert_eq!(woken.0.load(Ordering::Relaxed), 2);
    let next = read(&mut sieve, context)?;
    assert!(next[..length] == deliveries[1]);
    // Behind it, what is owed for the acknowledgement.
    assert_eq!(next[length..], HEARTBEAT);
    Ok(())
}

/// All that is there.
fn read(sieve: &mut Sieve<Broker>, context: &mut Context<'_>) -> io::Result<Vec<u8>> {
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; 100_000]);
    while let Poll::Ready(count) = Pin::new(&mut *sieve).poll_read(context, &mut buffer) {
        bytes.extend_from_slice(&buffer[..count?]);
    }
    Ok(bytes)
}

fn write(sieve: &mut Sieve<Broker>, context: &mut Context<'_>, bytes: &[u8]) -> io::Result<()> {
    match Pin::new(sieve).poll_write(context, bytes) {
        Poll::Ready(count) => count.map(|count| assert_eq!(count, bytes.len())),
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

/// A message of this size on channel 1, in frames.
fn delivery(tag: u64, size: usize) -> Vec<u8> {
    let bytes = u64::try_from(size).unwrap_or_default();
    let method = [&[0, 60, 0, 60, 1, b'c'][..], &tag.to_be_bytes(), &[0, 0, 0]];
    let content = [&[0, 60, 0, 0][..], &bytes.to_be_bytes(), &[0, 0]];
    let mut frames = [frame(1, &method.concat()), frame(2, &content.concat())].concat();
    for part in vec![b'x'; size].chunks(100_000) {
        frames.extend(frame(3, part));
    }
    frames
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or_default();
    [&[kind, 0, 1][..], &length.to_be_bytes(), payload, &[0xCE]].concat()
}
