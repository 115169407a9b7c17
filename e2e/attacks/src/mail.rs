use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::setting;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// More at once than the workers of all senders; others wait until they are let in.
const CONNECTIONS: usize = 256;
/// Nobody says nothing for longer: what RFC 5321 asks of a server.
const SILENCE: Duration = Duration::from_secs(300);
/// More than any line of an e-mail has, in bytes.
const LONGEST_LINE: usize = 1 << 20;

const BUSY: &[u8] = b"421 4.3.2 too busy, try again later\r\n";

/// How a mail server behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// As the one behind it does.
    Usual,
    /// It takes each e-mail at once, and says so only after this time, or when it is as usual again.
    Slow(Duration),
    /// It lets nobody in, with 421.
    BusyAtGreeting,
    /// It takes no e-mail, with 421 to MAIL.
    BusyAtMail,
}

/// The way of e-mails to the mail server, on which they can be held up. It passes on what is said, command by
/// command, and stops when it is dropped.
pub struct MailRoute {
    mood: watch::Sender<Mood>,
    _connections: JoinSet<()>,
}

impl MailRoute {
    /// From `SMTP_PROXY_PORT`, where containers can reach it, to the mail server at `SMTP_PORT`.
    ///
    /// # Errors
    ///
    /// When nobody can listen there.
    pub async fn from_environment() -> Result<Self> {
        let port = |name: &str| -> Result<u16> { setting(name)?.parse().context(name.to_owned()) };
        let listener = TcpListener::bind(("0.0.0.0", port("SMTP_PROXY_PORT")?)).await;
        let server = SocketAddr::from(([127, 0, 0, 1], port("SMTP_PORT")?));
        Ok(Self::new(listener.context("SMTP_PROXY_PORT")?, server))
    }

    /// From this listener to this mail server.
    #[must_use]
    pub fn new(listener: TcpListener, server: SocketAddr) -> Self {
        let mood = watch::Sender::new(Mood::Usual);
        let mut connections = JoinSet::new();
        connections.spawn(listen(listener, server, mood.subscribe()));
        Self {
            mood,
            _connections: connections,
        }
    }

    /// The mail server behaves like this from now on.
    pub fn is(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }
}

async fn listen(listener: TcpListener, server: SocketAddr, mood: watch::Receiver<Mood>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        // What cannot be accepted is gone already.
        if let Ok((client, _)) = listener.accept().await {
            let mood = mood.clone();
            connections.spawn(async move {
                // Either side may go away at any time, and the other one learns of it by the end.
                drop(pass_on(client, server, mood).await);
                drop(place);
            });
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn pass_on(
    client: TcpStream,
    server: SocketAddr,
    mut mood: watch::Receiver<Mood>,
) -> Result<()> {
    let mut client = BufStream::new(client);
    if *mood.borrow() == Mood::BusyAtGreeting {
        return Ok(say(&mut client, BUSY).await?);
    }
    let mut server = BufStream::new(TcpStream::connect(server).await?);
    let mut answer = read_answer(&mut server).await?;
    loop {
        say(&mut client, &answer).await?;
        let command = read_line(&mut client).await?;
        if is(&command, b"MAIL") && *mood.borrow() == Mood::BusyAtMail {
            return Ok(say(&mut client, BUSY).await?);
        }
        say(&mut server, &command).await?;
        answer = read_answer(&mut server).await?;
        if is(&command, b"DATA") && answer.starts_with(b"354") {
            say(&mut client, &answer).await?;
            answer = pass_on_email(&mut client, &mut server).await?;
            be_slow(&mut mood).await;
        }
    }
}

/// Passes on an e-mail up to the line that has nothing but a dot, and returns what the server says to it.
async fn pass_on_email(
    client: &mut BufStream<TcpStream>,
    server: &mut BufStream<TcpStream>,
) -> Result<Vec<u8>> {
    loop {
        let line = read_line(client).await?;
        server.write_all(&line).await?;
        if line == b".\r\n" {
            server.flush().await?;
            return read_answer(server).await;
        }
    }
}

async fn be_slow(mood: &mut watch::Receiver<Mood>) {
    let now = *mood.borrow_and_update();
    if let Mood::Slow(delay) = now {
        let is_over = mood.wait_for(|other| *other != now);
        // Either it is time, or the mood has changed.
        drop(timeout(delay, is_over).await);
    }
}

/// An answer may have several lines, of which only the last one has no hyphen behind its code.
async fn read_answer(server: &mut BufStream<TcpStream>) -> Result<Vec<u8>> {
    let mut answer = Vec::new();
    loop {
        let line = read_line(server).await?;
        answer.extend_from_slice(&line);
        ensure!(answer.len() <= LONGEST_LINE, "an endless answer");
        if line.get(3) != Some(&b'-') {
            return Ok(answer);
        }
    }
}

/// A line with its end; an error at the end of the stream.
async fn read_line(from: &mut BufStream<TcpStream>) -> Result<Vec<u8>> {
    let mut line = Vec::new();
    let limit = u64::try_from(LONGEST_LINE)?;
    let mut limited = tokio::io::AsyncReadExt::take(from, limit);
    timeout(SILENCE, limited.read_until(b'\n', &mut line)).await??;
    ensure!(line.ends_with(b"\n"), "no whole line");
    Ok(line)
}

async fn say(to: &mut BufStream<TcpStream>, what: &[u8]) -> io::Result<()> {
    to.write_all(what).await?;
    to.flush().await
}

fn is(command: &[u8], verb: &[u8]) -> bool {
    (command.get(..verb.len())).is_some_and(|start| start.eq_ignore_ascii_case(verb))
}
