//! What each fault does, and how it is healed.

mod brokers;
mod containers;
mod database;
mod duplicates;
mod poison;

use anyhow::Result;

use super::arena::Instance;
use super::{Arena, Fault};
use duplicates::Tap;

/// A fault that is there, with what is needed to heal it.
pub(super) enum Wound {
    /// It is over already.
    Healed,
    Killed(Instance),
    Stopped(Instance),
    Cut(Instance),
    FullQueue,
    BlockedPublishers,
    SlowDatabase,
    Tapped(Tap),
    Scaled(&'static str),
}

impl Arena {
    /// Lets it happen. When this fails, only [`Arena::restore`] knows what to heal.
    pub(super) async fn inject(&self, fault: &Fault) -> Result<Wound> {
        match *fault {
            Fault::Kill { service, pick } => self.kill(service, pick).await.map(Wound::Killed),
            Fault::Stop { service, pick } => self.stop(service, pick).await.map(Wound::Stopped),
            Fault::Cut { service, pick } => self.cut(service, pick).await.map(Wound::Cut),
            Fault::FullQueue { queue, limit } => {
                self.fill(queue, limit).await.map(|()| Wound::FullQueue)
            }
            Fault::BlockedPublishers { alarm } => {
                self.raise(alarm).await.map(|()| Wound::BlockedPublishers)
            }
            Fault::SlowDatabase { millicores } => self
                .slow_down(millicores)
                .await
                .map(|()| Wound::SlowDatabase),
            Fault::Poison { seed } => self.poison_all(seed).await.map(|()| Wound::Healed),
            Fault::Duplicates => self.tap().await.map(Wound::Tapped),
            Fault::RollingRestart => self.restart_all().await.map(|()| Wound::Healed),
            Fault::Scale { service, instances } => self
                .scale(service, instances)
                .await
                .map(|()| Wound::Scaled(service)),
        }
    }

    /// Mends it, and waits until what was broken is healthy.
    pub(super) async fn heal(&self, wound: Wound) -> Result<()> {
        match wound {
            Wound::Healed => Ok(()),
            Wound::Killed(instance) => {
                self.start(&instance.id).await?;
                self.is_healthy(&instance.id).await
            }
            Wound::Stopped(instance) => self.signal(&instance.id, "SIGCONT").await,
            Wound::Cut(instance) => self.connect(&instance).await,
            Wound::FullQueue | Wound::BlockedPublishers => self.restore_rabbitmq().await,
            Wound::SlowDatabase => self.restore_database().await,
            Wound::Tapped(tap) => self.send_again(tap).await,
            Wound::Scaled(service) => self.scale(service, Self::INSTANCES).await,
        }
    }
}
