use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bollard::Docker;
use bollard::models::{ContainerSummary, ContainerSummaryStateEnum as State};
use bollard::query_parameters::{KillContainerOptionsBuilder, ListContainersOptionsBuilder};
use checker::Poison;
use harness::{Compose, Management, TopicWriter, eventually, setting};

use super::{Broker, MailRoute, Mood};

/// How long a container may take until it is healthy again on a busy machine: faults of its database overlap, and
/// each may last for minutes. It is asked every 30 s only.
pub(super) const STARTED: Duration = Duration::from_secs(600);
const SERVICE: &str = "com.docker.compose.service";
const PROJECT: &str = "com.docker.compose.project";
const NUMBER: &str = "com.docker.compose.container-number";

/// The system under attack: the containers of one Compose project.
pub struct Arena {
    pub(super) docker: Docker,
    pub(super) rabbitmq: Management,
    pub(super) compose: Compose,
    pub(super) topics: TopicWriter,
    pub(super) mail: MailRoute,
    pub(super) is_cluster: bool,
    pub(super) project: String,
    poison: Mutex<Vec<Poison>>,
}

/// A container.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    pub(super) id: String,
    pub(super) service: String,
    pub(super) number: u32,
    state: State,
}

impl Arena {
    /// Every service has so many instances when nothing is wrong.
    pub const INSTANCES: usize = 2;

    /// The project that the environment names, which has one node of each broker or is a cluster with three.
    pub fn new(
        rabbitmq: Management,
        compose: Compose,
        mail: MailRoute,
        is_cluster: bool,
    ) -> Result<Self> {
        Ok(Self {
            docker: Docker::connect_with_unix_defaults()?,
            rabbitmq,
            compose,
            topics: TopicWriter::connect()?,
            mail,
            is_cluster,
            project: setting("COMPOSE_PROJECT_NAME")?,
            poison: Mutex::default(),
        })
    }

    /// The poison that was put anywhere so far.
    #[must_use]
    pub fn poison(&self) -> Vec<Poison> {
        self.lock_poison().clone()
    }

    pub(super) fn poisoned(&self, poison: Poison) {
        self.lock_poison().push(poison);
    }

    fn lock_poison(&self) -> MutexGuard<'_, Vec<Poison>> {
        self.poison.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All containers, the stopped ones as well, or those of one service; in the order of their names.
    pub(super) async fn containers(&self, service: Option<&str>) -> Result<Vec<Instance>> {
        let mut labels = vec![format!("{PROJECT}={}", self.project)];
        labels.extend(service.map(|service| format!("{SERVICE}={service}")));
        let filters = HashMap::from([("label".to_owned(), labels)]);
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        let found = self.docker.list_containers(Some(options)).await?;
        let mut found: Vec<_> = found.into_iter().filter_map(Instance::new).collect();
        found.sort_unstable_by_key(|one| (one.service.clone(), one.number));
        Ok(found)
    }

    /// One of the running instances of a service.
    pub(super) async fn pick(&self, service: &str, pick: usize) -> Result<Instance> {
        let mut running = self.containers(Some(service)).await?;
        running.retain(|one| one.state == State::RUNNING);
        ensure!(!running.is_empty(), "no {service} is running");
        Ok(running.swap_remove(pick % running.len()))
    }

    pub(super) async fn signal(&self, id: &str, signal: &str) -> Result<()> {
        let options = KillContainerOptionsBuilder::new().signal(signal).build();
        Ok(self.docker.kill_container(id, Some(options)).await?)
    }

    pub(super) async fn unpause(&self, id: &str) -> Result<()> {
        Ok(self.docker.unpause_container(id).await?)
    }

    pub(super) async fn start(&self, id: &str) -> Result<()> {
        // That it runs already is no error for the engine.
        Ok(self.docker.start_container(id, None).await?)
    }

    /// Waits until the health check of a container succeeds.
    pub(super) async fn is_healthy(&self, id: &str) -> Result<()> {
        eventually(format!("container {id} is healthy"), STARTED, async || {
            let state = self.docker.inspect_container(id, None).await?.state;
            let health = state
                .and_then(|state| state.health)
                .and_then(|health| health.status);
            let is_healthy = health.is_some_and(|status| status.to_string() == "healthy");
            Ok(is_healthy.then_some(()))
        })
        .await
    }

    /// Heals whatever may be wrong, and waits until everything is healthy. It looks at what is there
    /// and not at what was done, so it works from any state.
    pub async fn restore(&self) -> Result<()> {
        for instance in self.containers(None).await? {
            self.connect(&instance).await?;
            match instance.state {
                State::RUNNING => self.signal(&instance.id, "SIGCONT").await?,
                State::PAUSED => self.unpause(&instance.id).await?,
                _ => self.start(&instance.id).await?,
            }
        }
        self.mail.is(Mood::Usual);
        self.restore_database().await?;
        self.scale_all().await?;
        if self.is_cluster {
            for broker in Broker::ALL {
                self.is_whole(broker).await?;
            }
        }
        self.restore_rabbitmq().await?;
        self.empty_of_emails().await?;
        self.remove_tap().await
    }

    async fn scale_all(&self) -> Result<()> {
        let scale = Compose::SERVICES.map(|service| (service, Self::INSTANCES));
        let scaled = self.compose.scale(&scale).await;
        scaled.context("scale to normal")?;
        // Compose would not wait for one that was too busy to answer its last health check.
        for instance in self.containers(None).await? {
            let healthy = self.is_healthy(&instance.id).await;
            healthy.context(instance.service)?;
        }
        Ok(())
    }
}

impl Instance {
    fn new(container: ContainerSummary) -> Option<Self> {
        let labels = container.labels?;
        Some(Self {
            id: container.id?,
            service: labels.get(SERVICE)?.clone(),
            number: labels.get(NUMBER)?.parse().ok()?,
            state: container.state?,
        })
    }
}
