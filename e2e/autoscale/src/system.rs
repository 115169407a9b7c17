//! The running system: what is asked, and who is told.

mod meter;
mod watch;

use std::fmt::Display;
use std::io::{Write, stdout};
use std::time::Duration;

use anyhow::{Result, bail};
use futures::future::join_all;
use harness::{Compose, Management, http_client};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::watch::Watch;
use crate::ScaledObject;
use crate::object::wrong;

/// A broker that answers later than this says nothing.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// RabbitMQ, Kafka and the services, as the environment names them.
pub struct System {
    compose: Compose,
    /// One change at a time, so that two commands of Compose do not meet.
    changing: Mutex<()>,
    rabbitmq: Management,
    started: Instant,
}

impl System {
    /// As the environment says, which `./dev` sets.
    ///
    /// # Errors
    ///
    /// When a setting is missing.
    pub fn from_environment() -> Result<Self> {
        Ok(Self {
            compose: Compose::from_environment()?,
            changing: Mutex::default(),
            rabbitmq: Management::new(http_client(TIME_LIMIT)?)?,
            started: Instant::now(),
        })
    }

    /// Obeys these ScaledObjects until it is told to stop. What has begun by then is finished. The services stay as
    /// they are.
    ///
    /// # Errors
    ///
    /// Before anything is changed, when one of them names a service that is not there.
    pub async fn obey(&self, objects: &[ScaledObject], stop: &CancellationToken) -> Result<()> {
        let services = self.compose.run(&["config", "--services"]).await?;
        let mut watches = Vec::new();
        for object in objects {
            let service = &object.service;
            if !services.lines().any(|known| known == service) {
                let what = format!("there is no service {service:?}");
                bail!(wrong(&object.file, "spec.scaleTargetRef.name", &what));
            }
            watches.push(Watch::new(self, object)?);
        }
        join_all(watches.into_iter().map(|watch| watch.keep(stop))).await;
        Ok(())
    }

    /// Scales one service, and does not wait until new instances are healthy.
    async fn scale(&self, service: &str, instances: u32) -> Result<()> {
        let scale = [(service, usize::try_from(instances)?)];
        let _turn = self.changing.lock().await;
        self.compose.scale(&scale).await
    }

    /// How many instances of a service somebody wants to run, healthy or not.
    async fn instances(&self, service: &str) -> Result<u32> {
        let containers = self.compose.containers(service).await?;
        let is_wanted = |state: &str| matches!(state, "running" | "restarting" | "paused");
        let wanted = containers.values().filter(|one| is_wanted(&one.state));
        Ok(u32::try_from(wanted.count())?)
    }

    fn say(&self, service: &str, what: impl Display) {
        let at = self.started.elapsed().as_secs_f64();
        // Whoever closed the output does not want to read on; the services are scaled all the same.
        let _ = writeln!(stdout().lock(), "{at:8.1} s  {service} {what}");
    }
}
