//! What each fault does, and how it is healed.

mod brokers;
mod containers;
mod database;
mod duplicates;
mod poison;

use std::time::Instant;

use anyhow::Result;

use super::arena::Instance;
use super::{Arena, Fault};
use duplicates::Tap;

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
    Tapped(Tap),
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
            Fault::Poison { seed } => self.poison_all(seed).await.map(Injected::Sent),
            Fault::Duplicates => self.tap().await.map(Injected::Tapped),
            Fault::RollingRestart => self.restart_all().await.map(|()| Injected::Healed),
            Fault::Scale { service, instances } => self
                .scale(service, instances)
                .await
                .map(|()| Injected::Scaled(service)),
        }
    }

    /// Mends it, and waits until what was broken is healthy. Returns what else is to be said about it.
    pub(super) async fn heal(&self, injected: Injected) -> Result<Option<&'static str>> {
        match injected {
            Injected::Healed => {}
            Injected::Sent(reached) => return Ok(reached.remark()),
            Injected::Killed(instance) => {
                self.start(&instance.id).await?;
                self.is_healthy(&instance.id).await?;
            }
            Injected::Stopped(instance) => self.signal(&instance.id, "SIGCONT").await?,
            Injected::Paused(instance) => self.unpause(&instance.id).await?,
            Injected::Cut(instance) => self.connect(&instance).await?,
            Injected::FullQueue(since) => {
                self.restore_rabbitmq().await?;
                // A container that is just being removed has no logs, and then nothing is said.
                let was_full = self.has_refused(since.elapsed()).await;
                return Ok((!was_full.unwrap_or(true)).then_some("nothing was refused"));
            }
            Injected::BlockedPublishers => self.restore_rabbitmq().await?,
            Injected::SlowDatabase => self.restore_database().await?,
            Injected::Tapped(tap) => return Ok(self.send_again(tap).await?.remark()),
            Injected::Scaled(service) => self.scale(service, Self::INSTANCES).await?,
        }
        Ok(None)
    }
}

/// Which brokers got something of a fault that consists of messages: one that is away gets nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reached {
    rabbitmq: bool,
    kafka: bool,
}

impl Reached {
    fn remark(self) -> Option<&'static str> {
        match (self.rabbitmq, self.kafka) {
            (true, true) => None,
            (false, true) => Some("nothing reached RabbitMQ"),
            (true, false) => Some("nothing reached Kafka"),
            (false, false) => Some("nothing reached the brokers"),
        }
    }
}
