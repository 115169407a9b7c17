use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};
use bollard::Docker;
use bollard::query_parameters::{ListContainersOptionsBuilder, StatsOptionsBuilder};
use futures::{StreamExt, TryStreamExt, stream};
use harness::setting;

const SERVICE: &str = "com.docker.compose.service";
const PROJECT: &str = "com.docker.compose.project";

/// The containers of the Compose project, as the Docker engine accounts for them.
pub(super) struct Containers {
    docker: Docker,
    project: String,
}

impl Containers {
    pub(super) fn from_environment() -> Result<Self> {
        Ok(Self {
            docker: Docker::connect_with_unix_defaults()?,
            project: setting("COMPOSE_PROJECT_NAME")?,
        })
    }

    /// The CPU time that each service has used since its containers were started, in nanoseconds.
    pub(super) async fn cpu_ns(&self) -> Result<BTreeMap<String, u64>> {
        let labels = vec![format!("{PROJECT}={}", self.project)];
        let filters = HashMap::from([("label".to_owned(), labels)]);
        let options = ListContainersOptionsBuilder::new()
            .filters(&filters)
            .build();
        let running = self.docker.list_containers(Some(options)).await?;
        let used = running.into_iter().map(async |container| {
            let labels = container.labels.unwrap_or_default();
            let service = labels.get(SERVICE).cloned().unwrap_or_default();
            let id = container.id.context("a container without an id")?;
            let used = self.used_ns(&id).await.context(id)?;
            anyhow::Ok((service, used))
        });
        let used = stream::iter(used).buffer_unordered(16);
        let used: Vec<_> = used.try_collect().await?;
        let mut by_service = BTreeMap::new();
        for (service, used) in used {
            *by_service.entry(service).or_default() += used;
        }
        Ok(by_service)
    }

    async fn used_ns(&self, id: &str) -> Result<u64> {
        let once = StatsOptionsBuilder::new().stream(false).one_shot(true);
        let mut stats = Box::pin(self.docker.stats(id, Some(once.build())));
        let stats = stats.next().await.context("no figures")??;
        let used = stats.cpu_stats.and_then(|cpu| cpu.cpu_usage?.total_usage);
        used.context("no CPU time")
    }
}
