//! What each fault does, and how it is healed.

mod brokers;
mod containers;
mod database;
mod duplicates;
mod flood;
mod nodes;
mod poison;
mod requests;
mod strangers;
mod topology;

pub(crate) use poison::TO_BE_MENDED;

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep_until};

use super::arena::Instance;
use super::{Arena, Fault, Mood};
use database::Snapshot;
use duplicates::Tap;
use flood::Flood;
use requests::Nonsense;
use strangers::Stranger;
use topology::Tidying;

/// A fault that is there, with what is needed to heal it.
pub(super) enum Injected {
    /// It is over already.
    Healed,
    /// The same, and these brokers got something of it.
    Sent(Reached),
    Killed(Instance),
    Stopped(Instance),
    Paused(Instance),
    Cut(Instance),
    /// Since then.
    FullQueue(Instant),
    BlockedPublishers,
    SlowDatabase,
    ReadOnly(&'static str),
    WrongPassword(&'static str),
    /// Until it is dropped.
    HeldSnapshot(Snapshot),
    Mail,
    /// Since then.
    DeadMail(Instance, Instant),
    Tidying(Tidying),
    Tapped(Tap),
    Stranger(Stranger),
    Nonsense(Nonsense),
    Flood(Flood),
    Scaled(&'static str),
}

impl Arena {
    /// Lets it happen. When this fails, only [`Arena::restore`] knows what to heal.
    pub(super) async fn inject(&self, fault: &Fault) -> Result<Injected> {
        match *fault {
            Fault::Kill { service, pick } => self.kill(service, pick).await.map(Injected::Killed),
            Fault::Stop { service, pick } => self.stop(service, pick).await.map(Injected::Stopped),
            Fault::Pause { service } => self.pause(service).await.map(Injected::Paused),
            Fault::Cut { service, pick } => self.cut(service, pick).await.map(Injected::Cut),
            Fault::FullQueue { queue, limit } => {
                let since = Instant::now();
                self.fill(queue, limit)
                    .await
                    .map(|()| Injected::FullQueue(since))
            }
            Fault::BlockedPublishers { alarm } => self
                .raise(alarm)
                .await
                .map(|()| Injected::BlockedPublishers),
            Fault::SlowDatabase { millicores } => self
                .slow_down(millicores)
                .await
                .map(|()| Injected::SlowDatabase),
            Fault::ReadOnlyDatabase { service } => self
                .forbid_writing(service)
                .await
                .map(|()| Injected::ReadOnly(service)),
            Fault::WrongPassword { service } => self
                .change_password(service)
                .await
                .map(|()| Injected::WrongPassword(service)),
            Fault::HeldSnapshot { service } => {
                Snapshot::hold(service).await.map(Injected::HeldSnapshot)
            }
            Fault::DeadMail { limit } => {
                let since = Instant::now();
                self.fill_with_emails(limit).await?;
                let mail = self.kill("mail", 0).await?;
                Ok(Injected::DeadMail(mail, since))
            }
            Fault::SlowMail { seconds } => {
                Ok(self.mail_is(Mood::Slow(Duration::from_secs(seconds))))
            }
            Fault::BusyMail { at_greeting: true } => Ok(self.mail_is(Mood::BusyAtGreeting)),
            Fault::BusyMail { at_greeting: false } => Ok(self.mail_is(Mood::BusyAtMail)),
            Fault::Tidied { seed } => Ok(Injected::Tidying(Tidying::new(seed))),
            Fault::ForeignMessages { seed } => Ok(Injected::Stranger(Stranger::new(seed))),
            Fault::ForeignRequests { seed } => Ok(Injected::Nonsense(Nonsense::new(seed))),
            Fault::FloodOfReads => Flood::start().map(Injected::Flood),
            Fault::Poison { seed } => self.poison_all(seed).await.map(Injected::Sent),
            Fault::Duplicates => self.tap().await.map(Injected::Tapped),
            Fault::RollingRestart => self.restart_all().await.map(|()| Injected::Healed),
            Fault::CutFromPeers { node } => self.cut_from_peers(node).await.map(Injected::Cut),
            Fault::RestartNodes { broker } => {
                self.restart_nodes(broker).await.map(|()| Injected::Healed)
            }
            Fault::Scale { service, instances } => self
                .scale(service, instances)
                .await
                .map(|()| Injected::Scaled(service)),
        }
    }

    /// Lets it last, and does again and again what it consists of.
    pub(super) async fn last(&self, injected: &mut Injected, hold: Duration) {
        let end = Instant::now() + hold;
        while Instant::now() < end {
            let pause = match injected {
                Injected::Tidying(tidying) => self.tidy(tidying).await,
                Injected::Stranger(stranger) => self.send_foreign(stranger).await,
                Injected::Nonsense(nonsense) => self.ask_nonsense(nonsense).await,
                _ => hold,
            };
            sleep_until(end.min(Instant::now() + pause)).await;
        }
    }

    /// Mends it, and waits until what was broken is healthy. Returns what else is to be said about it.
    pub(super) async fn heal(&self, injected: Injected) -> Result<Option<String>> {
        match injected {
            Injected::Healed => {}
            Injected::Sent(reached) => return Ok(reached.remark()),
            Injected::Stranger(stranger) => return Ok(stranger.reached.remark()),
            Injected::Nonsense(nonsense) => return Ok(nonsense.remark()),
            Injected::Tidying(tidying) => return Ok(Some(tidying.remark())),
            Injected::Flood(flood) => return Ok(Some(flood.remark())),
            Injected::HeldSnapshot(snapshot) => drop(snapshot),
            Injected::DeadMail(mail, since) => {
                let was_full = self.has_refused(since.elapsed()).await;
                self.start(&mail.id).await?;
                self.is_healthy(&mail.id).await?;
                self.empty_of_emails().await?;
                return Ok((!was_full.unwrap_or(true)).then(|| "nothing was refused".to_owned()));
            }
            Injected::Killed(instance) => {
                self.start(&instance.id).await?;
                self.is_healthy(&instance.id).await?;
                self.catches_up(&instance).await?;
            }
            Injected::Stopped(instance) => self.signal(&instance.id, "SIGCONT").await?,
            Injected::Paused(instance) => {
                self.unpause(&instance.id).await?;
                self.catches_up(&instance).await?;
            }
            Injected::Cut(instance) => {
                self.connect(&instance).await?;
                self.catches_up(&instance).await?;
            }
            Injected::FullQueue(since) => {
                self.restore_rabbitmq().await?;
                // A container that is just being removed has no logs, and then nothing is said.
                let was_full = self.has_refused(since.elapsed()).await;
                return Ok((!was_full.unwrap_or(true)).then(|| "nothing was refused".to_owned()));
            }
            Injected::BlockedPublishers => self.restore_rabbitmq().await?,
            Injected::SlowDatabase => self.speed_up().await?,
            Injected::ReadOnly(service) => self.allow_writing(service).await?,
            Injected::WrongPassword(service) => self.reset_password(service).await?,
            Injected::Mail => self.mail.is(Mood::Usual),
            Injected::Tapped(tap) => return Ok(self.send_again(tap).await?.remark()),
            Injected::Scaled(service) => self.scale(service, Self::INSTANCES).await?,
        }
        Ok(None)
    }

    fn mail_is(&self, mood: Mood) -> Injected {
        self.mail.is(mood);
        Injected::Mail
    }
}

/// Which brokers got something of a fault that consists of messages: one that is away gets nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reached {
    rabbitmq: bool,
    kafka: bool,
}

impl Reached {
    fn remark(self) -> Option<String> {
        let missed = match (self.rabbitmq, self.kafka) {
            (true, true) => return None,
            (false, true) => "RabbitMQ",
            (true, false) => "Kafka",
            (false, false) => "the brokers",
        };
        Some(format!("nothing reached {missed}"))
    }
}
