use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use axum::http::Uri;
use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use messaging::{Claim, Failure, NotPerformed};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::answer::{Step, judge, judge_loss, judge_silence};

/// How long to wait for the mail server. No transaction is open meanwhile, so this may be long.
#[derive(Debug, Clone, Copy)]
pub struct SmtpLimits {
    /// For the connection, the greeting and `EHLO`.
    pub greeting: Duration,
    /// For the answer to each command.
    pub command: Duration,
    /// For the answer to the e-mail itself. Behind it nobody knows whether the e-mail was taken, so this
    /// is as long as RFC 5321 wants it in 4.5.3.2.6.
    pub message: Duration,
}

impl Default for SmtpLimits {
    fn default() -> Self {
        Self {
            greeting: Duration::from_secs(5),
            command: Duration::from_secs(60),
            message: Duration::from_secs(600),
        }
    }
}

/// Speaks with one mail server, over connections that are kept open.
///
/// The connections are kept here and not by lettre, whose pool takes back a connection in the middle
/// of a message when the delivery runs into its time limit, and has no time limit of its own once
/// the connection stands.
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    limits: SmtpLimits,
    idle: Mutex<Vec<AsyncSmtpConnection>>,
}

impl Server {
    pub(super) fn new(url: &Uri, limits: SmtpLimits) -> anyhow::Result<Self> {
        anyhow::ensure!(
            url.scheme_str() == Some("smtp"),
            "SMTP_URL does not start with smtp://"
        );
        Ok(Self {
            host: url.host().context("SMTP_URL names no host")?.to_owned(),
            port: url.port_u16().unwrap_or(25),
            limits,
            idle: Mutex::default(),
        })
    }

    /// Hands an e-mail over.
    pub(super) async fn send(&self, email: &Message, claim: &Claim) -> Result<(), NotPerformed> {
        let greeting = self.limits.greeting;
        let connection = timeout(greeting, self.connection());
        let mut connection = connection
            .await
            .unwrap_or_else(|_| Err(judge_silence(Step::Greeting, greeting)))?;
        let bytes = email.formatted();
        let options = mail_options(&connection, email, &bytes)?;
        let envelope = email.envelope();

        let command = self.limits.command;
        let mail = Mail::new(envelope.from().cloned(), options);
        within(Step::Mail, command, connection.command(mail)).await?;
        for recipient in envelope.to() {
            let recipient = Rcpt::new(recipient.clone(), Vec::new());
            within(Step::Recipient, command, connection.command(recipient)).await?;
        }
        within(Step::Data, command, connection.command(Data)).await?;
        // What follows cannot be taken back.
        claim.begin()?;
        within(
            Step::Message,
            self.limits.message,
            connection.message(&bytes),
        )
        .await?;
        // Only after a complete dialogue: a connection dropped earlier is closed.
        self.idle().push(connection);
        Ok(())
    }

    async fn connection(&self) -> Result<AsyncSmtpConnection, NotPerformed> {
        // The server may have closed the idle ones meanwhile.
        while let Some(mut connection) = self.next_idle() {
            if connection.test_connected().await {
                return Ok(connection);
            }
        }
        let stream = self.stream().await;
        let stream = stream.map_err(|error| judge_loss(Step::Greeting, error.into()))?;
        let name = ClientId::default();
        let connection = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &name);
        let connection = connection.await;
        connection.map_err(|error| judge(Step::Greeting, error))
    }

    async fn stream(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        // lettre writes the end of an e-mail by itself. It would wait until the server has acknowledged what comes
        // before, which a server that has nothing to say yet does after 40 ms.
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn next_idle(&self) -> Option<AsyncSmtpConnection> {
        self.idle().pop()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<AsyncSmtpConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One step within its time limit.
async fn within<T>(
    step: Step,
    limit: Duration,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, NotPerformed> {
    match timeout(limit, call).await {
        Ok(result) => result.map_err(|error| judge(step, error)),
        Err(_) => Err(judge_silence(step, limit)),
    }
}

/// What this e-mail needs that not every server can do (RFC 6531, RFC 6152).
fn mail_options(
    connection: &AsyncSmtpConnection,
    email: &Message,
    bytes: &[u8],
) -> Result<Vec<MailParameter>, Failure> {
    let mut options = Vec::new();
    let mut need = |needed: bool, extension: Extension, option| {
        if needed && !connection.server_info().supports_feature(extension) {
            let reason = format!("the mail server has no {extension}, which the e-mail needs");
            return Err(Failure::reject(reason));
        }
        options.extend(needed.then_some(option));
        Ok(())
    };
    let envelope = email.envelope();
    let mut addresses = envelope.to().iter().chain(envelope.from());
    let addresses = addresses.any(|address| !AsRef::<str>::as_ref(address).is_ascii());
    need(
        addresses,
        Extension::SmtpUtfEight,
        MailParameter::SmtpUtfEight,
    )?;
    let eight_bit = MailParameter::Body(MailBodyParameter::EightBitMime);
    need(!bytes.is_ascii(), Extension::EightBitMime, eight_bit)?;
    Ok(options)
}
