//! What a demonstration asks of the consumers of this service: to pause, to be slow, to fail.
//!
//! This room promises that whatever was asked for ends by itself, at its time or five seconds after the last
//! word about it. A process that is not in demo mode hears nothing, and then asking here costs one look.
//! How a consumer pauses is up to the room of its broker.

mod asked;
mod log;
mod rules;

use std::time::Duration;

use contracts::{Control, FailKind};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use self::asked::Asked;
use crate::handler::Failure;

/// What is asked of this service at the moment; all of its consumers look here.
pub(crate) struct Controls {
    service: &'static str,
    asked: watch::Sender<Option<Asked>>,
}

impl Controls {
    /// Nothing is asked yet.
    pub(crate) fn new(service: &'static str) -> Self {
        let asked = watch::Sender::new(None);
        Self { service, asked }
    }

    /// Of whom it is asked.
    pub(crate) fn service(&self) -> &'static str {
        self.service
    }

    /// Takes what is said about all services in place of what was said before.
    pub(crate) fn hear(&self, said: &contracts::Controls) {
        let asked = Asked::of(self.service, said, Instant::now());
        self.asked.send_replace(asked);
    }

    /// Whether no message may be taken.
    pub(crate) fn is_paused(&self) -> bool {
        self.now(|control| control.pause).unwrap_or(false)
    }

    /// Resolves when no message may be taken any more.
    pub(crate) async fn until_paused(&self) {
        self.until(true).await;
    }

    /// Resolves when messages may be taken again.
    pub(crate) async fn until_resumed(&self) {
        self.until(false).await;
    }

    /// How many messages may share a transaction where it may be `limit` otherwise.
    pub(crate) fn batch(&self, limit: usize) -> usize {
        let cut = self.now(|control| rules::batch(limit, control.slow_ms));
        cut.unwrap_or(limit)
    }

    /// Waits as long as is asked for before a batch of so many messages. A pause ends that.
    pub(crate) async fn slow_down(&self, messages: usize) {
        let pause = self.now(|control| rules::pause_before(messages, control.slow_ms));
        if let Some(pause) = pause.filter(|pause| *pause > Duration::ZERO) {
            tokio::select! {
                () = sleep(pause) => {}
                () = self.until_paused() => {}
            }
        }
    }

    /// Why this attempt to handle a message has to fail, if it has to.
    pub(crate) fn failure_of(&self, message: Uuid, failed_before: u32) -> Option<Failure> {
        self.now(|control| {
            let share = control.fail_percent;
            let by = &control.by;
            rules::is_of_share(message, failed_before, share).then(|| {
                let reason = format!("made to fail, as {by} has asked for {share} % of attempts");
                match control.fail_kind {
                    FailKind::Transient => Failure::retry(anyhow::Error::msg(reason)),
                    FailKind::Permanent => Failure::reject(reason),
                }
            })
        })?
    }

    /// Why no effect that cannot be taken back may take place, as if the mail server took nothing.
    pub(crate) fn refusal_of_effects(&self) -> Option<Failure> {
        self.now(|control| {
            let by = &control.by;
            control.refuse_email.then(|| {
                let reason = format!("e-mail is refused, as {by} has asked");
                Failure::unavailable(anyhow::Error::msg(reason))
            })
        })?
    }

    fn now<T>(&self, ask: impl FnOnce(&Control) -> T) -> Option<T> {
        let asked = self.asked.borrow();
        let in_force = asked.as_ref()?.in_force(Instant::now())?;
        Some(ask(in_force))
    }

    async fn until(&self, paused: bool) {
        let mut asked = self.asked.subscribe();
        loop {
            // What is asked and when that ends are looked at together: else the end could pass in between.
            let (is_paused, ends) = {
                let (asked, now) = (asked.borrow_and_update(), Instant::now());
                let in_force = asked.as_ref().and_then(|asked| asked.in_force(now));
                let ends = asked.as_ref().map(Asked::ends);
                let is_paused = in_force.is_some_and(|control| control.pause);
                (is_paused, ends.filter(|ends| *ends > now))
            };
            if is_paused == paused {
                return;
            }
            changed_or_over(&mut asked, ends).await;
        }
    }
}

/// Waits for another word, or until the last one is over.
async fn changed_or_over(asked: &mut watch::Receiver<Option<Asked>>, ends: Option<Instant>) {
    let over = async {
        match ends {
            Some(ends) => sleep_until(ends).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        // The sender lives as long as whoever waits here.
        _ = asked.changed() => {}
        () = over => {}
    }
}

#[cfg(test)]
mod tests;
