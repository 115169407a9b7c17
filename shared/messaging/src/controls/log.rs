use std::fmt::Write as _;
use std::time::Duration;

use contracts::Control;
use jiff::Timestamp;
use tokio::time::Instant;
use tracing::{info, warn};

use super::asked::Asked;
use super::{Controls, changed_or_over};

impl Controls {
    /// Says in the log when this process begins to obey, and when it works as usual again. Never ends.
    pub(crate) async fn tell(&self) {
        let mut asked = self.asked.subscribe();
        let mut told: Option<Control> = None;
        loop {
            let current = asked.borrow_and_update().clone();
            let in_force = current
                .as_ref()
                .and_then(|asked| asked.in_force(Instant::now()));
            match (&told, in_force) {
                (None, None) => {}
                (Some(before), Some(control)) if is_the_same(before, control) => {}
                (_, Some(control)) => begins(control),
                (Some(before), None) => {
                    let by = &before.by;
                    info!(by, "what {by} asked for is over, working as usual");
                }
            }
            told = in_force.cloned();
            let ends = current.as_ref().filter(|_| told.is_some());
            changed_or_over(&mut asked, ends.map(Asked::ends)).await;
        }
    }
}

fn begins(control: &Control) {
    let (by, what) = (&control.by, in_words(control));
    let remaining = Duration::from_millis(control.remaining_ms.into());
    let until = Timestamp::now().checked_add(remaining);
    let until = until.unwrap_or(Timestamp::MAX);
    warn!(by, %until, "{by} asks until {until}: {what}");
}

/// Whether it is what was asked before, but for the time that has passed.
fn is_the_same(before: &Control, control: &Control) -> bool {
    let remaining_ms = control.remaining_ms;
    let before = Control {
        remaining_ms,
        ..before.clone()
    };
    before == *control
}

fn in_words(control: &Control) -> String {
    let mut words = String::new();
    let mut add = |asked: bool, what: std::fmt::Arguments<'_>| {
        let comma = if words.is_empty() { "" } else { ", " };
        if asked {
            write!(words, "{comma}{what}").ok();
        }
    };
    let (slow_ms, share) = (control.slow_ms, control.fail_percent);
    let kind = format!("{:?}", control.fail_kind).to_lowercase();
    add(control.pause, format_args!("take no messages"));
    add(
        slow_ms > 0,
        format_args!("wait {slow_ms} ms for each message"),
    );
    add(
        share > 0,
        format_args!("fail {share} % of attempts, {kind}"),
    );
    add(control.refuse_email, format_args!("refuse e-mail"));
    words
}

#[cfg(test)]
mod tests {
    use contracts::FailKind;

    use super::*;

    #[test]
    fn what_is_asked_is_said_in_one_line() {
        let mut control = Control {
            service: "inventory".to_owned(),
            pause: true,
            slow_ms: 250,
            fail_percent: 10,
            fail_kind: FailKind::Permanent,
            refuse_email: true,
            by: "Ada".to_owned(),
            since: Timestamp::UNIX_EPOCH,
            remaining_ms: 1_000,
        };
        assert_eq!(
            in_words(&control),
            "take no messages, wait 250 ms for each message, fail 10 % of attempts, permanent, refuse e-mail"
        );
        control.pause = false;
        control.fail_percent = 0;
        control.refuse_email = false;
        assert_eq!(in_words(&control), "wait 250 ms for each message");
    }
}
