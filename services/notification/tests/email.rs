//! What customers read.

use anyhow::Result;
use contracts::{Channel, OrderEventName, SendNotification};
use notification::email::compose;
use uuid::uuid;

#[expect(dead_code, reason = "each test file uses its own part of it")]
mod support;

#[test]
fn an_email_tells_it_all_in_plain_text() -> Result<()> {
    let text = part(
        &formatted(&task(OrderEventName::OrderConfirmed))?,
        "text/plain",
    );
    let expected = "\
Hello,

Everything is set aside for you. We send it as soon as it is paid.

2 x Throw rope, 20 m (ROPE-THROW), 34.90 EUR each: 69.80 EUR
1 x Wheel <brass> & co (GATE-WHEEL), 1890.05 EUR each: 1890.05 EUR

Total: 1959.85 EUR

Order 019a0000-0000-7000-8000-00000000cafe";
    assert_eq!(text, expected);
    Ok(())
}

#[test]
fn an_email_escapes_what_html_would_take_for_its_own() -> Result<()> {
    let html = part(
        &formatted(&task(OrderEventName::OrderConfirmed))?,
        "text/html",
    );
    assert!(html.contains("Wheel &#60;brass&#62; &#38; co"), "{html}");
    assert!(html.contains("1959.85 EUR"));
    Ok(())
}

#[test]
fn a_rejection_and_a_cancellation_give_their_reason() -> Result<()> {
    for event in [
        OrderEventName::OrderRejected,
        OrderEventName::OrderCancelled,
    ] {
        let reason = Some("4 pieces of GATE-WHEEL are wanted, 3 are available".to_owned());
        let email = formatted(&SendNotification {
            reason,
            ..task(event)
        })?;
        for kind in ["text/plain", "text/html"] {
            let sentence = "Reason: 4 pieces of GATE-WHEEL are wanted, 3 are available.";
            assert!(part(&email, kind).contains(sentence));
        }
    }
    Ok(())
}

#[test]
fn the_headers_name_the_order_the_notification_and_the_trace() -> Result<()> {
    let email = formatted(&task(OrderEventName::OrderPaid))?;
    for header in [
        "Message-ID: <019a0000-0000-7000-8000-000000000001@spillway.example>",
        "From: Spillway <orders@spillway.example>",
        "To: ada@example.com",
        "Subject: Your order 0000cafe is paid",
        "X-Order-Id: 019a0000-0000-7000-8000-00000000cafe",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ] {
        assert!(
            email.lines().any(|line| line == header),
            "{header} is not in {email}"
        );
    }
    Ok(())
}

#[test]
fn an_address_that_is_none_is_an_error() {
    let mut task = task(OrderEventName::OrderPaid);
    task.order.customer.email = "nobody".to_owned();
    assert!(formatted(&task).is_err());
}

/// Whatever an address holds besides an address would become headers or further recipients.
#[test]
fn a_hostile_address_is_an_error() {
    for email in [
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com\nBcc: eve@example.com",
        "ada\r\nBcc: eve@example.com",
        "ada@example.com>\r\nBcc: <eve@example.com",
        "\"ada\r\nBcc: eve\"@example.com",
        "ada@example.com, eve@example.com",
        "Ada <ada@example.com>",
        "ada@example.com\0",
    ] {
        let mut task = task(OrderEventName::OrderPaid);
        task.order.customer.email = email.to_owned();
        assert!(formatted(&task).is_err(), "{email:?}");
    }
}

/// Nobody on the internet may send mail to a machine of our own network.
#[test]
fn an_address_of_a_machine_nearby_is_an_error() {
    for email in ["a@[10.0.0.5]", "a@127.0.0.1", "ada@mail", "a@localhost"] {
        let mut task = task(OrderEventName::OrderPaid);
        task.order.customer.email = email.to_owned();
        assert!(formatted(&task).is_err(), "{email:?}");
    }
}

/// The reason quotes what the order asked for, so customers have a say in it as well.
#[test]
fn a_hostile_name_sku_or_reason_adds_no_header_and_no_markup() -> Result<()> {
    const HOSTILE: &str = "x\r\nBcc: eve@example.com\r\n\r\n<script>alert('1')</script>\"><b>";
    let expected = formatted(&task(OrderEventName::OrderRejected))?;
    let mut task = task(OrderEventName::OrderRejected);
    task.reason = Some(HOSTILE.to_owned());
    for line in &mut task.order.lines {
        (line.name, line.sku) = (HOSTILE.to_owned(), HOSTILE.to_owned());
    }
    let email = formatted(&task)?;
    assert_eq!(header_names(&email), header_names(&expected));
    let html = part(&email, "text/html");
    let escaped = "&#60;script&#62;alert(&#39;1&#39;)&#60;/script&#62;&#34;&#62;&#60;b&#62;";
    assert_eq!(html.matches(escaped).count(), 5, "{html}");
    for markup in ["<script", "<b>"] {
        assert!(!html.contains(markup), "{html}");
    }
    Ok(())
}

fn task(event: OrderEventName) -> SendNotification {
    SendNotification {
        notification_id: uuid!("019a0000-0000-7000-8000-000000000001"),
        ..support::task(Channel::Email, event)
    }
}

fn formatted(task: &SendNotification) -> Result<String> {
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let email = compose(task, &support::sender()?, Some(traceparent))?;
    Ok(String::from_utf8(email.formatted())?.replace("\r\n", "\n"))
}

/// The names of the headers of the whole e-mail.
fn header_names(email: &str) -> Vec<&str> {
    let (head, _) = email.split_once("\n\n").unwrap_or((email, ""));
    head.lines()
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split(':').next().unwrap_or_default())
        .collect()
}

/// The content of the part of this type, without soft line breaks.
fn part(email: &str, kind: &str) -> String {
    let part = email
        .split("\n--")
        .find(|part| part.contains(&format!("Content-Type: {kind}")));
    let body = part
        .and_then(|part| part.split_once("\n\n"))
        .map_or("", |(_, body)| body);
    body.replace("=\n", "")
        .replace("=3D", "=")
        .trim_end()
        .to_owned()
}
