//! The way to the mail server, on which e-mails can be held up. Needs no running system: the mail server is one
//! that tells what it has taken.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use attacks::{MailRoute, Mood};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

const EMAIL: &[&str] = &["Subject: a kayak", "", "..hidden dot", ""];
const SOON: Duration = Duration::from_secs(10);
/// Longer than anything that is not slow, shorter than a test.
const SLOW: Duration = Duration::from_secs(2);

#[tokio::test]
async fn an_email_is_passed_on_as_it_is() -> Result<()> {
    let (_route, mut taken, mut client) = start(Mood::Usual).await?;
    assert_eq!(client.answer().await?, "220 ready");
    assert_eq!(client.ask("EHLO client").await?, "250 hello");
    client.ask("MAIL FROM:<a@example.org>").await?;
    client.ask("RCPT TO:<b@example.org>").await?;
    assert_eq!(client.ask("DATA").await?, "354 go on");
    assert_eq!(client.ask(&whole_email()).await?, "250 taken");
    assert_eq!(taken.recv().await.context("nothing")?, EMAIL.join("\r\n"));
    assert_eq!(client.ask("QUIT").await?, "221 bye");
    Ok(())
}

#[tokio::test]
async fn a_slow_mail_server_has_the_email_long_before_it_says_so() -> Result<()> {
    let (_route, mut taken, mut client) = start(Mood::Slow(SLOW)).await?;
    client.begin().await?;
    let began = Instant::now();
    client.say(&whole_email()).await?;
    taken.recv().await.context("nothing")?;
    assert!(began.elapsed() < SLOW, "{:?}", began.elapsed());
    assert_eq!(client.answer().await?, "250 taken");
    assert!(began.elapsed() >= SLOW, "{:?}", began.elapsed());
    Ok(())
}

#[tokio::test]
async fn a_slow_mail_server_that_is_healed_answers_at_once() -> Result<()> {
    let (route, mut taken, mut client) = start(Mood::Slow(Duration::from_secs(3_600))).await?;
    client.begin().await?;
    client.say(&whole_email()).await?;
    taken.recv().await.context("nothing")?;
    route.is(Mood::Usual);
    assert_eq!(client.answer().await?, "250 taken");
    Ok(())
}

#[tokio::test]
async fn a_busy_mail_server_takes_no_email_until_it_is_healed() -> Result<()> {
    let (route, mut taken, mut client) = start(Mood::BusyAtMail).await?;
    assert_eq!(client.answer().await?, "220 ready");
    assert_eq!(client.ask("EHLO client").await?, "250 hello");
    let answer = client.ask("MAIL FROM:<a@example.org>").await?;
    assert!(answer.starts_with("421 "), "{answer}");
    assert!(client.answer().await.is_err(), "still connected");

    route.is(Mood::BusyAtGreeting);
    let mut client = client.again().await?;
    let answer = client.answer().await?;
    assert!(answer.starts_with("421 "), "{answer}");
    assert!(taken.try_recv().is_err());

    route.is(Mood::Usual);
    let mut client = client.again().await?;
    client.begin().await?;
    assert_eq!(client.ask(&whole_email()).await?, "250 taken");
    Ok(())
}

#[tokio::test]
async fn a_mail_server_that_is_away_is_away_for_its_clients() -> Result<()> {
    let nobody = TcpListener::bind("127.0.0.1:0").await?;
    let server = nobody.local_addr()?;
    drop(nobody);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let _route = MailRoute::new(listener, server);
    assert!(Client::connect(&address).await?.answer().await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_dropped_route_listens_no_more() -> Result<()> {
    let (route, _taken, mut client) = start(Mood::Usual).await?;
    assert_eq!(client.answer().await?, "220 ready");
    drop(route);
    assert!(client.ask("NOOP").await.is_err());
    let gone = async {
        while client.again().await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    Ok(timeout(SOON, gone).await?)
}

async fn start(mood: Mood) -> Result<(MailRoute, UnboundedReceiver<String>, Client)> {
    let server = TcpListener::bind("127.0.0.1:0").await?;
    let address = server.local_addr()?;
    let (sender, taken) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = server.accept().await {
            tokio::spawn(serve(stream, sender.clone()));
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let way = listener.local_addr()?.to_string();
    let route = MailRoute::new(listener, address);
    route.is(mood);
    Ok((route, taken, Client::connect(&way).await?))
}

/// A mail server that says yes to everything.
async fn serve(stream: TcpStream, taken: UnboundedSender<String>) -> Result<()> {
    let mut client = Client {
        stream: BufStream::new(stream),
        address: String::new(),
    };
    client.say("220-mail.example.org\r\n220 ready").await?;
    loop {
        let command = client.line().await?;
        match command.split(' ').next().unwrap_or_default() {
            "EHLO" => client.say("250 hello").await?,
            "DATA" => {
                client.say("354 go on").await?;
                let mut lines = Vec::new();
                loop {
                    match client.line().await?.as_str() {
                        "." => break,
                        line => lines.push(line.to_owned()),
                    }
                }
                taken.send(lines.join("\r\n"))?;
                client.say("250 taken").await?;
            }
            "QUIT" => return client.say("221 bye").await,
            _ => client.say("250 fine").await?,
        }
    }
}

/// One end of a connection.
struct Client {
    stream: BufStream<TcpStream>,
    address: String,
}

impl Client {
    async fn connect(address: &str) -> Result<Self> {
        Ok(Self {
            stream: BufStream::new(TcpStream::connect(address).await?),
            address: address.to_owned(),
        })
    }

    async fn again(&self) -> Result<Self> {
        Self::connect(&self.address).await
    }

    /// Everything up to the e-mail itself.
    async fn begin(&mut self) -> Result<()> {
        self.answer().await?;
        for command in [
            "EHLO client",
            "MAIL FROM:<a@example.org>",
            "RCPT TO:<b@example.org>",
            "DATA",
        ] {
            self.ask(command).await?;
        }
        Ok(())
    }

    async fn ask(&mut self, what: &str) -> Result<String> {
        self.say(what).await?;
        self.answer().await
    }

    async fn say(&mut self, what: &str) -> Result<()> {
        self.stream.write_all(what.as_bytes()).await?;
        self.stream.write_all(b"\r\n").await?;
        Ok(self.stream.flush().await?)
    }

    /// The last line of the next answer.
    async fn answer(&mut self) -> Result<String> {
        loop {
            let line = self.line().await?;
            if line.as_bytes().get(3) == Some(&b' ') {
                return Ok(line);
            }
        }
    }

    async fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        timeout(SOON, self.stream.read_line(&mut line)).await??;
        let line = line.strip_suffix("\r\n").context("the end")?;
        Ok(line.to_owned())
    }
}

fn whole_email() -> String {
    format!("{}\r\n.", EMAIL.join("\r\n"))
}
