use std::path::Path;

use anyhow::Result;
use bollard::query_parameters::LogsOptionsBuilder;
use futures::StreamExt;
use tokio::fs::{OpenOptions, create_dir_all};
use tokio::io::{AsyncWriteExt, BufWriter};

use super::Arena;
use super::arena::Instance;

/// Where the logs of containers go.
const FOLDER: &str = "target/dev/logs/chaos";

impl Arena {
    /// Keeps the logs of all containers, and says where.
    pub async fn save_all_logs(&self) -> Result<&'static str> {
        for instance in self.containers(None).await? {
            self.save_logs(&instance).await?;
        }
        Ok(FOLDER)
    }

    /// Appends, because an instance of the same number may have come and gone before.
    pub(super) async fn save_logs(&self, instance: &Instance) -> Result<()> {
        create_dir_all(FOLDER).await?;
        let name = format!("{}-{}.log", instance.service, instance.number);
        let path = Path::new(FOLDER).join(name);
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .await?;
        let mut file = BufWriter::new(file);
        let options = LogsOptionsBuilder::new()
            .stdout(true)
            .stderr(true)
            .timestamps(true)
            .build();
        let mut lines = self.docker.logs(&instance.id, Some(options));
        while let Some(line) = lines.next().await {
            file.write_all(&line?.into_bytes()).await?;
        }
        Ok(file.flush().await?)
    }
}
