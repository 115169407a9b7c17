//! Faults of single containers, through the Docker API.

use anyhow::{Context, Result};
use bollard::query_parameters::RestartContainerOptionsBuilder;
use harness::{Compose, eventually};

use super::brokers::SOON;
use crate::Arena;
use crate::arena::Instance;

impl Arena {
    /// For the engine a kill through its API is the wish to stop, so nothing restarts the container
    /// before it is healed.
    pub(super) async fn kill(&self, service: &str, pick: usize) -> Result<Instance> {
        let instance = self.pick(service, pick).await?;
        self.signal(&instance.id, "SIGKILL").await?;
        Ok(instance)
    }

    pub(super) async fn stop(&self, service: &str, pick: usize) -> Result<Instance> {
        let instance = self.pick(service, pick).await?;
        self.signal(&instance.id, "SIGSTOP").await?;
        Ok(instance)
    }

    /// All processes of the container at once: the first one of PostgreSQL only waits for the others,
    /// and that of RabbitMQ is a shell. The freezer of a busy machine gives up on a container in which a
    /// process is just starting, such as a health check, so it may have to be asked again.
    pub(super) async fn pause(&self, service: &str) -> Result<Instance> {
        let instance = self.pick(service, 0).await?;
        eventually(format!("{service} is frozen"), SOON, async || {
            self.docker.pause_container(&instance.id).await?;
            Ok(Some(()))
        })
        .await?;
        Ok(instance)
    }

    pub(super) async fn cut(&self, service: &str, pick: usize) -> Result<Instance> {
        let instance = self.pick(service, pick).await?;
        for network in self.networks(service) {
            self.disconnect(&instance, &network).await?;
        }
        Ok(instance)
    }

    /// With SIGTERM, and the next one once this one is healthy.
    pub(super) async fn restart_all(&self) -> Result<()> {
        for service in Compose::SERVICES {
            for instance in self.containers(Some(service)).await? {
                self.restart(&instance).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn restart(&self, instance: &Instance) -> Result<()> {
        let patience = RestartContainerOptionsBuilder::new().t(15).build();
        self.docker
            .restart_container(&instance.id, Some(patience))
            .await?;
        let healthy = self.is_healthy(&instance.id).await;
        healthy.with_context(|| instance.service.clone())
    }

    /// Compose removes the containers that are too many, so their logs are kept before.
    pub(super) async fn scale(&self, service: &str, instances: usize) -> Result<()> {
        for instance in self.containers(Some(service)).await? {
            if instance.number as usize > instances {
                self.save_logs(&instance).await?;
            }
        }
        self.compose.scale(&[(service, instances)]).await
    }
}
