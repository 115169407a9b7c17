//! A database without the processor time that it needs.

use anyhow::Result;
use bollard::models::ContainerUpdateBody;

use crate::Arena;

/// Microseconds, the kernel's default.
const PERIOD: i64 = 100_000;
const UNLIMITED: i64 = -1;

impl Arena {
    pub(super) async fn slow_down(&self, millicores: i64) -> Result<()> {
        self.limit_database(millicores * PERIOD / 1_000).await
    }

    pub(crate) async fn restore_database(&self) -> Result<()> {
        self.limit_database(UNLIMITED).await
    }

    async fn limit_database(&self, quota: i64) -> Result<()> {
        for instance in self.containers(Some("postgres")).await? {
            let limit = ContainerUpdateBody {
                cpu_period: Some(PERIOD),
                cpu_quota: Some(quota),
                ..ContainerUpdateBody::default()
            };
            self.docker.update_container(&instance.id, limit).await?;
        }
        Ok(())
    }
}
