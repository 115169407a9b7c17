use std::io;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// A mail provider that needs its time for each e-mail, and hardly any of the CPU. It keeps nothing but the times
/// at which it has taken one, and stops when it is dropped.
pub(super) struct Provider {
    taken: watch::Sender<Vec<Instant>>,
    _connections: JoinSet<()>,
}

impl Provider {
    /// One that answers to the end of an e-mail after this time.
    pub(super) async fn listen(address: impl ToSocketAddrs, takes: Duration) -> Result<Self> {
        let listener = TcpListener::bind(address).await.context("mail provider")?;
        Ok(Self::new(listener, takes))
    }

    fn new(listener: TcpListener, takes: Duration) -> Self {
        let taken = watch::Sender::default();
        let mut connections = JoinSet::new();
        connections.spawn(accept(listener, takes, watch::Sender::clone(&taken)));
        Self {
            taken,
            _connections: connections,
        }
    }

    /// Begins to count anew.
    pub(super) fn forget(&self) {
        self.taken.send_modify(Vec::clear);
    }

    /// Waits until it has taken so many e-mails, and returns when it took each, in seconds since the first.
    pub(super) async fn has_taken(&self, count: f64) -> Result<Vec<f64>> {
        let mut taken = self.taken.subscribe();
        let taken = taken.wait_for(|times| times.len() as f64 >= count).await?;
        let first = taken.first().copied();
        let since = |time: &Instant| first.map(|first| time.duration_since(first).as_secs_f64());
        Ok(taken.iter().filter_map(since).collect())
    }
}

async fn accept(listener: TcpListener, takes: Duration, taken: watch::Sender<Vec<Instant>>) {
    let mut connections = JoinSet::new();
    loop {
        // What cannot be accepted is gone already.
        if let Ok((client, _)) = listener.accept().await {
            let taken = taken.clone();
            connections.spawn(async move {
                // A client may go away at any time.
                converse(client, takes, &taken).await.ok();
            });
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(
    client: TcpStream,
    takes: Duration,
    taken: &watch::Sender<Vec<Instant>>,
) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut client = BufStream::new(client);
    say(&mut client, "220 provider").await?;
    while let Some(command) = line(&mut client).await? {
        let verb = command.get(..4).map(<[u8]>::to_ascii_uppercase);
        match verb.as_deref() {
            Some(b"EHLO") => {
                say(&mut client, "250-provider\r\n250-8BITMIME\r\n250 SMTPUTF8").await?;
            }
            Some(b"DATA") => {
                say(&mut client, "354 go on").await?;
                loop {
                    match line(&mut client).await? {
                        Some(line) if line == b".\r\n" => break,
                        Some(_) => {}
                        None => return Ok(()),
                    }
                }
                sleep(takes).await;
                taken.send_modify(|times| times.push(Instant::now()));
                say(&mut client, "250 taken").await?;
            }
            Some(b"QUIT") => return say(&mut client, "221 bye").await,
            _ => say(&mut client, "250 ok").await?,
        }
    }
    Ok(())
}

/// The next line with its end, if there is one.
async fn line(client: &mut BufStream<TcpStream>) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    client.read_until(b'\n', &mut line).await?;
    Ok(line.ends_with(b"\n").then_some(line))
}

async fn say(client: &mut BufStream<TcpStream>, what: &str) -> io::Result<()> {
    client.write_all(what.as_bytes()).await?;
    client.write_all(b"\r\n").await?;
    client.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMAIL: &str = "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n";
    const TAKES: Duration = Duration::from_millis(20);

    async fn heard(client: &mut BufStream<TcpStream>, code: &[u8]) -> Result<()> {
        let answer = line(client).await?.context("no answer")?;
        anyhow::ensure!(answer.starts_with(code), "{answer:?}");
        Ok(())
    }

    #[tokio::test]
    async fn an_e_mail_is_answered_when_its_time_is_over_and_counted_once() -> Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let provider = Provider::new(listener, TAKES);
        let mut client = BufStream::new(TcpStream::connect(address).await?);
        heard(&mut client, b"220").await?;
        say(&mut client, "ehlo me").await?;
        for code in [b"250-", b"250-", b"250 "] {
            heard(&mut client, code).await?;
        }
        for _ in 0..3 {
            client.write_all(EMAIL.as_bytes()).await?;
            client.flush().await?;
            for code in [b"250 ", b"250 ", b"354 "] {
                heard(&mut client, code).await?;
            }
            let before = Instant::now();
            // A dot with more behind it is no end, and neither is a line that says QUIT.
            say(&mut client, "..\r\nQUIT\r\n\u{e9}\r\n.").await?;
            heard(&mut client, b"250 ").await?;
            assert!(before.elapsed() >= TAKES);
        }
        let times = provider.has_taken(3.0).await?;
        assert_eq!((times.len(), times.first()), (3, Some(&0.0)));
        provider.forget();
        say(&mut client, "QUIT").await?;
        heard(&mut client, b"221").await?;
        assert!(line(&mut client).await?.is_none());
        assert!(provider.has_taken(0.0).await?.is_empty());
        Ok(())
    }
}
