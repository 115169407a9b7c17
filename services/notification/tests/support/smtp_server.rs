use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// How the server answers `RCPT TO`: the moment at which real ones refuse.
#[derive(Clone, Copy)]
pub(crate) enum Recipients {
    /// With this line.
    Answered(&'static str),
    /// Not at all.
    Ignored,
}

/// An SMTP server that can be made to fail, which a mail catcher cannot.
pub(crate) struct SmtpServer {
    pub(crate) addr: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl SmtpServer {
    pub(crate) async fn start(recipients: Recipients) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(stream, recipients));
            }
        });
        Ok(Self { addr, connections })
    }

    /// How often somebody connected.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn serve(stream: TcpStream, recipients: Recipients) -> Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 ready\r\n").await?;
    let (mut line, mut in_message) = (String::new(), false);
    while stream.read_line(&mut line).await? > 0 {
        let answer = match (line.trim_end(), recipients) {
            (".", _) => Some("250 taken"),
            _ if in_message => None,
            ("DATA", _) => Some("354 go on"),
            (command, Recipients::Answered(answer)) if command.starts_with("RCPT") => Some(answer),
            (command, Recipients::Ignored) if command.starts_with("RCPT") => None,
            _ => Some("250 fine"),
        };
        in_message = match line.trim_end() {
            "DATA" => true,
            "." => false,
            _ => in_message,
        };
        if let Some(answer) = answer {
            stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
        line.clear();
    }
    Ok(())
}
