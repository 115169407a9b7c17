//! An e-mail as a customer reads it.

use anyhow::Context;
use askama::Template;
use contracts::{OrderEventName, PricedLine, SendNotification, check_email};
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use uuid::Uuid;

use crate::domain::{amount, headline, message, sum};

/// Writes the e-mail, as plain text and as HTML.
///
/// # Errors
///
/// When the customer's address is not one, or not one to which [mail is sent](check_email).
pub fn compose(
    task: &SendNotification,
    from: &Mailbox,
    traceparent: Option<&str>,
) -> anyhow::Result<Message> {
    let letter = Letter::new(task);
    let address = task.order.customer.email.as_str();
    check_email(address).context("the customer's e-mail address")?;
    let to = Mailbox::new(None, address.parse()?);
    let mut email = Message::builder()
        .message_id(Some(message_id(task.notification_id)))
        .from(from.clone())
        .to(to)
        .subject(letter.subject.as_str())
        .date_now()
        .raw_header(header("X-Order-Id", letter.order_id.to_string()));
    if let Some(traceparent) = traceparent {
        email = email.raw_header(header("traceparent", traceparent.to_owned()));
    }
    let text = Text { letter: &letter }.render()?;
    let html = Html { letter: &letter }.render()?;
    Ok(email.multipart(MultiPart::alternative_plain_html(text, html))?)
}

/// The same whenever the same notification is sent, so that a mailbox can tell a repetition.
#[must_use]
pub fn message_id(notification_id: Uuid) -> String {
    format!("<{notification_id}@spillway.example>")
}

#[derive(Template)]
#[template(path = "email.txt")]
struct Text<'a> {
    letter: &'a Letter<'a>,
}

#[derive(Template)]
#[template(path = "email.html")]
struct Html<'a> {
    letter: &'a Letter<'a>,
}

/// What both forms say.
struct Letter<'a> {
    subject: String,
    message: &'static str,
    reason: Option<&'a str>,
    lines: Vec<Line<'a>>,
    total: String,
    order_id: Uuid,
    colour: &'static str,
}

struct Line<'a> {
    sku: &'a str,
    name: &'a str,
    quantity: i64,
    price: String,
    sum: String,
}

impl<'a> Letter<'a> {
    fn new(task: &'a SendNotification) -> Self {
        Self {
            subject: headline(task),
            message: message(task.event),
            reason: task.reason.as_deref(),
            lines: task.order.lines.iter().map(Line::new).collect(),
            total: amount(&task.order.total),
            order_id: task.order.id,
            colour: match task.event {
                OrderEventName::OrderRejected | OrderEventName::OrderCancelled => "#a33a2a",
                _ => "#0b6b53",
            },
        }
    }
}

impl<'a> Line<'a> {
    fn new(line: &'a PricedLine) -> Self {
        Self {
            sku: &line.sku,
            name: &line.name,
            quantity: line.quantity,
            price: amount(&line.unit_price),
            sum: amount(&sum(line)),
        }
    }
}

fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}
