use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// How the server behaves, at the moments at which real ones make trouble.
#[derive(Clone)]
pub(crate) struct Manners {
    /// To `MAIL FROM`.
    pub(crate) mail: Answer,
    /// To `RCPT TO`.
    pub(crate) recipient: Answer,
    /// To the end of the e-mail.
    pub(crate) message: Answer,
}

#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Line(&'static str),
    /// The same after some time.
    Late(Duration, &'static str),
    /// None at all.
    Silence,
    /// It closes the connection instead.
    HangUp,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            mail: Answer::Line("250 fine"),
            recipient: Answer::Line("250 welcome"),
            message: Answer::Line("250 taken"),
        }
    }
}

/// An SMTP server that can be made to fail, which a mail catcher cannot.
pub(crate) struct SmtpServer {
    pub(crate) addr: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    mails: AtomicUsize,
    manners: Mutex<Manners>,
    /// The e-mails that it has had in full, whatever it answered, each by its `Message-ID`.
    received: Mutex<Vec<String>>,
}

impl SmtpServer {
    pub(crate) async fn start(manners: Manners) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let seen = Arc::new(Seen::default());
        let server = Self {
            addr,
            seen: Arc::clone(&seen),
        };
        server.behave(manners);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                seen.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(stream, Arc::clone(&seen)));
            }
        });
        Ok(server)
    }

    /// From now on it behaves like this.
    pub(crate) fn behave(&self, manners: Manners) {
        let now = self.seen.manners.lock();
        *now.unwrap_or_else(PoisonError::into_inner) = manners;
    }

    /// How often somebody connected.
    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::Relaxed)
    }

    /// How often somebody wanted to hand over an e-mail.
    pub(crate) fn mails(&self) -> usize {
        self.seen.mails.load(Ordering::Relaxed)
    }

    /// The `Message-ID`s of all e-mails that were sent to the end, in that order.
    pub(crate) fn received(&self) -> Vec<String> {
        let received = self.seen.received.lock();
        received.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Seen {
    fn manners(&self) -> Manners {
        let manners = self.manners.lock();
        manners.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn receive(&self, message_id: &str) {
        let received = self.received.lock();
        let mut received = received.unwrap_or_else(PoisonError::into_inner);
        received.push(message_id.to_owned());
    }
}

async fn serve(stream: TcpStream, seen: Arc<Seen>) -> Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 ready\r\n").await?;
    let (mut line, mut in_message, mut message_id) = (String::new(), false, String::new());
    while stream.read_line(&mut line).await? > 0 {
        let command = line.trim_end();
        let answer = match command {
            "." if in_message => {
                in_message = false;
                seen.receive(&message_id);
                Some(seen.manners().message)
            }
            header if in_message => {
                if let Some(id) = header.strip_prefix("Message-ID: ") {
                    message_id = id.to_owned();
                }
                None
            }
            "DATA" => {
                in_message = true;
                Some(Answer::Line("354 go on"))
            }
            command if command.starts_with("MAIL") => {
                seen.mails.fetch_add(1, Ordering::Relaxed);
                Some(seen.manners().mail)
            }
            command if command.starts_with("RCPT") => Some(seen.manners().recipient),
            _ => Some(Answer::Line("250 fine")),
        };
        let answer = match answer {
            None | Some(Answer::Silence) => None,
            Some(Answer::HangUp) => return Ok(()),
            Some(Answer::Line(answer)) => Some(answer),
            Some(Answer::Late(time, answer)) => {
                tokio::time::sleep(time).await;
                Some(answer)
            }
        };
        if let Some(answer) = answer {
            stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
        line.clear();
    }
    Ok(())
}
