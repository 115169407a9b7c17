use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use axum::http::Uri;
use contracts::SendNotification;
use lettre::Message;
use lettre::message::Mailbox;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use messaging::{Cause, Failure};
use opentelemetry::trace::{SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue, global};
use tokio::time::timeout;

use super::Provider;
use crate::email::{compose, message_id};

/// Together less than the database lets a transaction wait.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);
const SEND_LIMIT: Duration = Duration::from_secs(2);

/// Delivers e-mail to an SMTP server, over connections that are kept open.
///
/// The connections are kept here and not by lettre, whose pool takes back a connection in the middle
/// of a message when the delivery runs into its time limit, and has no time limit of its own once
/// the connection stands.
pub struct Smtp {
    host: String,
    port: u16,
    from: Mailbox,
    idle: Mutex<Vec<AsyncSmtpConnection>>,
}

impl Smtp {
    /// A server at `smtp://host:port`, in a private network: without encryption or password.
    ///
    /// # Errors
    ///
    /// When the address is of another form.
    pub fn new(url: &Uri, from: Mailbox) -> anyhow::Result<Self> {
        ensure!(
            url.scheme_str() == Some("smtp"),
            "SMTP_URL does not start with smtp://"
        );
        Ok(Self {
            host: url.host().context("SMTP_URL names no host")?.to_owned(),
            port: url.port_u16().unwrap_or(25),
            from,
            idle: Mutex::default(),
        })
    }

    async fn send(&self, email: &Message) -> Result<(), Failure> {
        // Without a connection nothing is said about this e-mail.
        let connecting = timeout(CONNECT_LIMIT, self.connection()).await;
        let mut connection = connecting
            .map_err(|_| Failure::unavailable(silent(CONNECT_LIMIT)))?
            .map_err(Failure::unavailable)?;
        let bytes = email.formatted();
        let sending = timeout(SEND_LIMIT, connection.send(email.envelope(), &bytes)).await;
        sending
            .map_err(|_| Failure::retry(silent(SEND_LIMIT)))?
            .map_err(refusal)?;
        // Only after a complete dialogue: a connection dropped earlier is closed.
        self.idle().push(connection);
        Ok(())
    }

    async fn connection(&self) -> Result<AsyncSmtpConnection, Error> {
        // The server may have closed the idle ones meanwhile.
        while let Some(mut connection) = self.next_idle() {
            if connection.test_connected().await {
                return Ok(connection);
            }
        }
        let server = (self.host.as_str(), self.port);
        AsyncSmtpConnection::connect_tokio1(server, None, &ClientId::default(), None, None).await
    }

    fn next_idle(&self) -> Option<AsyncSmtpConnection> {
        self.idle().pop()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<AsyncSmtpConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The span of one delivery, as a child of whatever caused it.
    fn span(&self, cause: &Cause, message_id: &str) -> Context {
        let tracer = global::tracer("notification");
        let parent = cause.context();
        let span = tracer
            .span_builder("send email")
            .with_kind(SpanKind::Client)
            .with_attributes([
                KeyValue::new("network.protocol.name", "smtp"),
                KeyValue::new("server.address", self.host.clone()),
                KeyValue::new("server.port", i64::from(self.port)),
                KeyValue::new("messaging.message.id", message_id.to_owned()),
            ])
            .start_with_context(&tracer, &parent);
        parent.with_span(span)
    }
}

impl Provider for Smtp {
    async fn deliver(&self, task: &SendNotification, cause: &Cause) -> Result<String, Failure> {
        let message_id = message_id(task.notification_id);
        let span = self.span(cause, &message_id);
        let traceparent = Cause::from_context(&span);
        let email = compose(task, &self.from, traceparent.traceparent())
            .map_err(|error| Failure::reject(format!("{error:#}")))?;
        let sent = self.send(&email).await;
        if let Err(failure) = &sent {
            span.span().set_status(Status::error(failure.to_string()));
        }
        sent.map(|()| message_id)
    }
}

fn silent(limit: Duration) -> anyhow::Error {
    anyhow!("the mail server does not answer within {limit:?}")
}

fn refusal(error: Error) -> Failure {
    if error.is_permanent() || error.is_client() {
        Failure::reject(format!("the mail server refuses it: {error}"))
    } else {
        Failure::retry(error)
    }
}
