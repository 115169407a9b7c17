//! What an answer of the mail server, or its silence, says about an e-mail.
//!
//! | step | what the server does | what becomes of the e-mail | because |
//! |---|---|---|---|
//! | until `MAIL` | does not answer, hangs up, any 4xx | held | nothing was said of this e-mail yet but the sender, which all share (RFC 5321, 4.1.1.2) |
//! | greeting, `EHLO` | any 5xx | held | "no SMTP service here" (RFC 5321, 3.1) |
//! | every | 421 | held | the server closes down (RFC 5321, 3.8 and 4.2.3) |
//! | every | x.3.0 to x.3.3, x.3.5, 4.3.x | held | the mail system is not well (RFC 3463, 3.4); 5.3.4 is about the size |
//! | every | 530, 534, 535, 538 | held | it wants a password or encryption: the configuration is wrong (RFC 4954, 6) |
//! | `DATA` and after it | 452 without x.y.z | held | it has no room (RFC 5321, 4.2.3); to `RCPT` the same code is a full mailbox |
//! | `RCPT` and later | any other 4xx: greylisting (450 or 451 4.7.1), a full mailbox (452 4.2.2) | tried again, for more than an hour | "try again later" (RFC 5321, 4.2.1; RFC 6647, 5: greylisting takes minutes) |
//! | `MAIL` and later | any other 5xx | dead letter | "do not try again" (RFC 5321, 4.2.1) |
//! | `RCPT`, `DATA` | does not answer, hangs up | tried again | it has not the e-mail, and others may pass |
//! | end of the e-mail | does not answer for 10 min (RFC 5321, 4.5.3.2.6), hangs up | dead letter | nobody can tell whether it has the e-mail (RFC 1047) |

use std::time::Duration;

use anyhow::anyhow;
use lettre::transport::smtp::Error;
use messaging::{Failure, NotPerformed};

/// How far the dialogue had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// Connecting, the greeting and `EHLO`.
    Greeting,
    /// `MAIL FROM`: our own address.
    Mail,
    /// `RCPT TO`: the customer's address.
    Recipient,
    /// `DATA`, before the e-mail itself.
    Data,
    /// The e-mail is on its way, or there.
    Message,
}

/// An answer of the server that is no consent.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: u16,
    pub(super) text: String,
}

/// What the failed step means for the e-mail.
pub(super) fn judge(step: Step, error: Error) -> NotPerformed {
    let text = std::error::Error::source(&error).map(ToString::to_string);
    match error.status() {
        Some(code) => {
            let text = text.unwrap_or_default();
            let code = code.into();
            judge_refusal(step, &Refusal { code, text }).into()
        }
        // What cannot be sent at all, for example an address of characters that the server does not know.
        None if error.is_client() => Failure::reject(format!("cannot be sent: {error}")).into(),
        None => judge_loss(step, error.into()),
    }
}

/// What it means that the step took longer than this.
pub(super) fn judge_silence(step: Step, limit: Duration) -> NotPerformed {
    judge_loss(
        step,
        anyhow!("the mail server does not answer within {limit:?}"),
    )
}

/// What it means that the connection cannot be had, or was lost.
pub(super) fn judge_loss(step: Step, error: anyhow::Error) -> NotPerformed {
    match step {
        Step::Greeting | Step::Mail => Failure::unavailable(error).into(),
        Step::Recipient | Step::Data => Failure::retry(error).into(),
        Step::Message => NotPerformed::Unknown(format!(
            "the e-mail may have been delivered, since its end was not answered: {error:#}"
        )),
    }
}

fn judge_refusal(step: Step, refusal: &Refusal) -> Failure {
    let Refusal { code, text } = refusal;
    let error = format!("the mail server refuses it: {code} {text}");
    let (class, subject, detail) = enhanced(text).unwrap_or_default();
    let is_permanent = *code >= 500;
    // RFC 3463: the second number is what it is about, 3 the mail system.
    let system = subject == 3 && (class == 4 || matches!(detail, 0..=3 | 5));
    let password = matches!(code, 530 | 534 | 535 | 538);
    let no_room = *code == 452 && subject == 0 && step >= Step::Data;
    let early = match step {
        Step::Greeting => true,
        Step::Mail => !is_permanent,
        _ => false,
    };
    if *code == 421 || system || password || no_room || early {
        Failure::unavailable(anyhow!(error))
    } else if is_permanent {
        Failure::reject(error)
    } else {
        Failure::retry(anyhow!(error))
    }
}

/// The enhanced status code that the text begins with: `4.7.1 greylisted` (RFC 2034).
fn enhanced(text: &str) -> Option<(u16, u16, u16)> {
    let mut numbers = text.split_whitespace().next()?.split('.');
    let mut number = || numbers.next()?.parse().ok();
    let code = (number()?, number()?, number()?);
    numbers.next().is_none().then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(failure: &NotPerformed) -> &'static str {
        match failure {
            NotPerformed::Failed(Failure::Unavailable(_)) => "held",
            NotPerformed::Failed(Failure::Retry(_)) => "again",
            NotPerformed::Failed(Failure::Reject(_)) => "never",
            NotPerformed::Unknown(_) => "unknown",
        }
    }

    #[test]
    fn an_answer_is_about_the_server_or_about_the_e_mail() {
        use Step::{Data, Greeting, Mail, Message, Recipient};
        for (step, answer, expected) in [
            (Greeting, "554 no SMTP service here", "held"),
            (Greeting, "421 4.3.2 closing down", "held"),
            (Greeting, "450 too many connections", "held"),
            (Mail, "421 service not available", "held"),
            (Mail, "450 4.7.1 slow down", "held"),
            (Mail, "451 local error", "held"),
            (Mail, "452 4.3.1 out of disk", "held"),
            (Mail, "530 5.7.0 authentication required", "held"),
            (Mail, "550 5.7.1 sender refused", "never"),
            (Recipient, "421 closing down", "held"),
            (Recipient, "450 4.2.0 greylisted", "again"),
            (Recipient, "451 4.7.1 try again in 5 minutes", "again"),
            (Recipient, "451 4.3.0 local error", "held"),
            (Recipient, "451 4.4.1 no route to host", "again"),
            (Recipient, "452 mailbox full", "again"),
            (Recipient, "452 4.2.2 mailbox full", "again"),
            (Recipient, "501 syntax", "never"),
            (Recipient, "550 5.1.1 no such mailbox", "never"),
            (Recipient, "550 no such mailbox", "never"),
            (Recipient, "552 5.3.4 too big", "never"),
            (Recipient, "553 5.3.2 not accepting mail", "held"),
            (Data, "452 no room", "held"),
            (Data, "451 4.7.1 later", "again"),
            (Data, "503 no valid recipients", "never"),
            (Message, "421 closing down", "held"),
            (Message, "451 4.3.0 queue file write error", "held"),
            (Message, "451 4.7.1 later", "again"),
            (Message, "452 no room", "held"),
            (Message, "450 1.2.3.4 is not welcome", "again"),
            (Message, "552 5.3.4 too big", "never"),
            (Message, "554 5.6.0 spam", "never"),
        ] {
            let (code, text) = answer.split_at(3);
            let code = code.parse().unwrap_or_default();
            let text = text.trim().to_owned();
            let judged = judge_refusal(step, &Refusal { code, text }).into();
            assert_eq!(kind(&judged), expected, "{answer} to {step:?}: {judged}");
        }
    }

    #[test]
    fn silence_is_unknown_only_after_the_e_mail_itself() {
        for (step, expected) in [
            (Step::Greeting, "held"),
            (Step::Mail, "held"),
            (Step::Recipient, "again"),
            (Step::Data, "again"),
            (Step::Message, "unknown"),
        ] {
            let judged = judge_silence(step, Duration::from_secs(1));
            assert_eq!(kind(&judged), expected, "{step:?}: {judged}");
        }
    }
}
