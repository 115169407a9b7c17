use axum::http::Uri;
use contracts::SendNotification;
use lettre::message::Mailbox;
use messaging::{Cause, Claim, Failure, NotPerformed};
use opentelemetry::trace::{SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue, global};

use crate::email::{compose, message_id};

mod answer;
mod dialogue;

use dialogue::Server;
pub use dialogue::SmtpLimits;

/// Delivers e-mail to an SMTP server.
pub struct Smtp {
    server: Server,
    from: Mailbox,
}

impl Smtp {
    /// A server at `smtp://host:port`, in a private network: without encryption or password.
    ///
    /// # Errors
    ///
    /// When the address is of another form.
    pub fn new(url: &Uri, from: Mailbox) -> anyhow::Result<Self> {
        Self::with_limits(url, from, SmtpLimits::default())
    }

    /// The same with another patience.
    ///
    /// # Errors
    ///
    /// When the address is of another form.
    pub fn with_limits(url: &Uri, from: Mailbox, limits: SmtpLimits) -> anyhow::Result<Self> {
        let server = Server::new(url, limits)?;
        Ok(Self { server, from })
    }

    /// Delivers an e-mail and returns its `Message-ID`, the same whenever the same notification is
    /// delivered. It may take as long as the mail server takes, up to 10 min.
    ///
    /// # Errors
    ///
    /// As the table of answers says: when the mail server is away, wants the e-mail later or never, or
    /// leaves open whether it has it.
    pub async fn deliver(
        &self,
        task: &SendNotification,
        cause: &Cause,
        claim: &Claim,
    ) -> Result<String, NotPerformed> {
        let message_id = message_id(task.notification_id);
        let span = self.span(cause, &message_id);
        let traceparent = Cause::from_context(&span);
        let email = compose(task, &self.from, traceparent.traceparent())
            .map_err(|error| Failure::reject(format!("{error:#}")))?;
        let sent = self.server.send(&email, claim).await;
        if let Err(failure) = &sent {
            span.span().set_status(Status::error(failure.to_string()));
        }
        sent.map(|()| message_id)
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
                KeyValue::new("server.address", self.server.host.clone()),
                KeyValue::new("server.port", i64::from(self.server.port)),
                KeyValue::new("messaging.message.id", message_id.to_owned()),
            ])
            .start_with_context(&tracer, &parent);
        parent.with_span(span)
    }
}
