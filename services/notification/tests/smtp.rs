//! What becomes of an e-mail when the mail server takes it, refuses it, or is not well.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use contracts::{Channel, OrderEventName};
use messaging::{Cause, Failure, NotPerformed};
use notification::provider::{Smtp, SmtpLimits};
use tokio::net::TcpListener;

#[expect(dead_code, reason = "each test file uses its own part of it")]
mod support;
use support::smtp_server::{Answer, Manners, SmtpServer};

/// Short, so that silence is found out soon.
const LIMITS: SmtpLimits = SmtpLimits {
    greeting: Duration::from_millis(500),
    command: Duration::from_millis(500),
    message: Duration::from_secs(2),
};

#[tokio::test]
async fn deliveries_share_a_connection() -> Result<()> {
    let server = SmtpServer::start(Manners::default()).await?;
    let smtp = client(server.addr)?;
    for _ in 0..3 {
        assert!(deliver(&smtp).await.is_ok());
    }
    assert_eq!(server.connections(), 1);
    assert_eq!(server.received().len(), 3);
    Ok(())
}

#[tokio::test]
async fn the_reference_of_a_delivery_is_its_message_id() -> Result<()> {
    let server = SmtpServer::start(Manners::default()).await?;
    let task = support::task(Channel::Email, OrderEventName::OrderPaid);
    let smtp = client(server.addr)?;
    let reference = smtp
        .deliver(&task, &Cause::none(), &messaging::testing::claim())
        .await;
    let expected = format!("<{}@spillway.example>", task.notification_id);
    assert_eq!(reference.ok(), Some(expected.clone()));
    assert_eq!(server.received(), [expected]);
    Ok(())
}

#[tokio::test]
async fn a_recipient_that_does_not_exist_is_a_reject() -> Result<()> {
    let outcome = deliver_to(recipients("550 no such mailbox")).await?;
    let Err(NotPerformed::Failed(Failure::Reject(reason))) = outcome else {
        anyhow::bail!("{outcome:?}")
    };
    assert!(reason.contains("no such mailbox"), "{reason}");
    Ok(())
}

#[tokio::test]
async fn a_full_mailbox_and_greylisting_are_a_retry() -> Result<()> {
    for answer in ["452 4.2.2 mailbox full", "451 4.7.1 greylisted"] {
        let outcome = deliver_to(recipients(answer)).await?;
        let retry = matches!(outcome, Err(NotPerformed::Failed(Failure::Retry(_))));
        assert!(retry, "{answer}: {outcome:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_not_well_is_waited_for() -> Result<()> {
    for manners in [
        mail(Answer::Line("421 closing down")),
        mail(Answer::Line("451 try again")),
        mail(Answer::Silence),
        mail(Answer::HangUp),
        recipients("421 closing down"),
        recipients("451 4.3.0 no disk"),
        messages(Answer::Line("452 4.3.1 no disk")),
    ] {
        let outcome = deliver_to(manners).await?;
        assert!(is_unavailable(&outcome), "{outcome:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_server_may_take_its_time_for_an_e_mail() -> Result<()> {
    let late = Answer::Late(Duration::from_secs(1), "250 taken");
    let outcome = deliver_to(messages(late)).await?;
    assert!(outcome.is_ok(), "{outcome:?}");
    let limits = SmtpLimits::default();
    assert!(limits.message >= Duration::from_secs(60));
    Ok(())
}

#[tokio::test]
async fn without_an_answer_to_the_e_mail_nobody_knows() -> Result<()> {
    for answer in [Answer::HangUp, Answer::Silence] {
        let outcome = deliver_to(messages(answer)).await?;
        let Err(NotPerformed::Unknown(reason)) = outcome else {
            anyhow::bail!("{outcome:?}")
        };
        assert!(reason.contains("may have been delivered"), "{reason}");
    }
    Ok(())
}

#[tokio::test]
async fn an_address_that_is_none_is_a_reject() -> Result<()> {
    let server = SmtpServer::start(Manners::default()).await?;
    let mut task = support::task(Channel::Email, OrderEventName::OrderPaid);
    task.order.customer.email = "nobody".to_owned();
    let smtp = client(server.addr)?;
    let outcome = smtp
        .deliver(&task, &Cause::none(), &messaging::testing::claim())
        .await;
    let rejected = matches!(outcome, Err(NotPerformed::Failed(Failure::Reject(_))));
    assert!(rejected, "{outcome:?}");
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_away_or_never_greets_is_waited_for() -> Result<()> {
    let closed = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    assert!(is_unavailable(&deliver(&client(closed)?).await));
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    let silent = client(silent.local_addr()?)?;
    assert!(is_unavailable(&deliver(&silent).await));
    Ok(())
}

#[tokio::test]
async fn a_connection_that_fell_silent_in_the_middle_is_not_used_again() -> Result<()> {
    let server = SmtpServer::start(Manners {
        recipient: Answer::Silence,
        ..Manners::default()
    })
    .await?;
    let smtp = client(server.addr)?;
    for connections in 1..=2 {
        let outcome = deliver(&smtp).await;
        let retry = matches!(outcome, Err(NotPerformed::Failed(Failure::Retry(_))));
        assert!(retry, "{outcome:?}");
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

fn mail(answer: Answer) -> Manners {
    Manners {
        mail: answer,
        ..Manners::default()
    }
}

fn recipients(answer: &'static str) -> Manners {
    Manners {
        recipient: Answer::Line(answer),
        ..Manners::default()
    }
}

fn messages(answer: Answer) -> Manners {
    Manners {
        message: answer,
        ..Manners::default()
    }
}

fn client(addr: SocketAddr) -> Result<Smtp> {
    let url = format!("smtp://{addr}").parse()?;
    Smtp::with_limits(&url, support::sender()?, LIMITS)
}

async fn deliver(smtp: &Smtp) -> Result<String, NotPerformed> {
    let task = support::task(Channel::Email, OrderEventName::OrderPaid);
    smtp.deliver(&task, &Cause::none(), &messaging::testing::claim())
        .await
}

/// A delivery to a server of these manners.
async fn deliver_to(manners: Manners) -> Result<Result<String, NotPerformed>> {
    let server = SmtpServer::start(manners).await?;
    Ok(deliver(&client(server.addr)?).await)
}

fn is_unavailable(outcome: &Result<String, NotPerformed>) -> bool {
    matches!(outcome, Err(NotPerformed::Failed(Failure::Unavailable(_))))
}
