//! What becomes of an e-mail when the mail server takes it, refuses it, or is not well.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Result;
use contracts::{Channel, OrderEventName};
use messaging::{Cause, Failure};
use notification::provider::{Provider, Smtp};
use tokio::net::TcpListener;

mod support;
use support::smtp_server::{Recipients, SmtpServer};

const TAKEN: Recipients = Recipients::Answered("250 welcome");

#[tokio::test]
async fn deliveries_share_a_connection() -> Result<()> {
    let server = SmtpServer::start(TAKEN).await?;
    let smtp = client(server.addr)?;
    for _ in 0..3 {
        assert!(deliver(&smtp).await.is_ok());
    }
    assert_eq!(server.connections(), 1);
    Ok(())
}

#[tokio::test]
async fn the_reference_of_a_delivery_is_its_message_id() -> Result<()> {
    let server = SmtpServer::start(TAKEN).await?;
    let task = support::task(Channel::Email, OrderEventName::OrderPaid);
    let reference = client(server.addr)?.deliver(&task, &Cause::none()).await;
    let expected = format!("<{}@spillway.example>", task.notification_id);
    assert_eq!(reference.ok(), Some(expected));
    Ok(())
}

#[tokio::test]
async fn a_recipient_that_does_not_exist_is_a_reject() -> Result<()> {
    let server = SmtpServer::start(Recipients::Answered("550 no such mailbox")).await?;
    let outcome = deliver(&client(server.addr)?).await;
    assert!(matches!(outcome, Err(Failure::Reject(reason)) if reason.contains("no such mailbox")));
    Ok(())
}

#[tokio::test]
async fn a_full_mailbox_is_a_retry() -> Result<()> {
    let server = SmtpServer::start(Recipients::Answered("452 mailbox full")).await?;
    assert!(matches!(
        deliver(&client(server.addr)?).await,
        Err(Failure::Retry(_))
    ));
    Ok(())
}

#[tokio::test]
async fn an_address_that_is_none_is_a_reject() -> Result<()> {
    let server = SmtpServer::start(TAKEN).await?;
    let mut task = support::task(Channel::Email, OrderEventName::OrderPaid);
    task.order.customer.email = "nobody".to_owned();
    let outcome = client(server.addr)?.deliver(&task, &Cause::none()).await;
    assert!(matches!(outcome, Err(Failure::Reject(_))));
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_away_is_waited_for() -> Result<()> {
    let closed = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    assert!(matches!(
        deliver(&client(closed)?).await,
        Err(Failure::Unavailable(_))
    ));
    Ok(())
}

#[tokio::test]
async fn a_server_that_never_greets_is_waited_for_and_holds_no_transaction_open() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let started = Instant::now();
    let outcome = deliver(&client(listener.local_addr()?)?).await;
    assert!(matches!(outcome, Err(Failure::Unavailable(_))));
    assert!(started.elapsed() < Duration::from_secs(4));
    Ok(())
}

#[tokio::test]
async fn a_connection_that_fell_silent_in_the_middle_is_not_used_again() -> Result<()> {
    let server = SmtpServer::start(Recipients::Ignored).await?;
    let smtp = client(server.addr)?;
    for connections in 1..=2 {
        assert!(matches!(deliver(&smtp).await, Err(Failure::Retry(_))));
        assert_eq!(server.connections(), connections);
    }
    Ok(())
}

#[test]
fn an_address_of_another_protocol_is_refused_at_the_start() -> Result<()> {
    for url in ["http://mail:1025", "smtps://mail:465", "mail:1025"] {
        assert!(
            Smtp::new(&url.parse()?, support::sender()?).is_err(),
            "{url}"
        );
    }
    Ok(())
}

fn client(addr: SocketAddr) -> Result<Smtp> {
    Smtp::new(&format!("smtp://{addr}").parse()?, support::sender()?)
}

async fn deliver(smtp: &Smtp) -> Result<String, Failure> {
    let task = support::task(Channel::Email, OrderEventName::OrderPaid);
    smtp.deliver(&task, &Cause::none()).await
}
