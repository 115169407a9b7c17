use std::time::{Duration, Instant};

use anyhow::Result;
use harness::eventually;

use super::Bench;

/// As if the second migration, which writes every notification that was sent, had not been there, and as if a newer
/// program had been.
const BEFORE: &str = "
    alter table notifications drop column deliveries;
    delete from _sqlx_migrations where version = 2;
    insert into _sqlx_migrations (version, description, success, checksum, execution_time)
    values (999999, 'of a newer program', true, '', 0)";
/// Nobody waits longer than this for a benchmark.
const LIMIT: Duration = Duration::from_secs(3_600);

impl Bench {
    /// In seconds until `notification` is ready that has to migrate a large table first.
    pub(super) async fn migrated(&mut self) -> Result<f64> {
        self.sql("notification", BEFORE).await?;
        let start = Instant::now();
        self.stop_only(&[]).await?;
        eventually("notification is ready", LIMIT, async || {
            let health = self.compose.health("notification").await?;
            Ok(health.ready.then_some(()))
        })
        .await?;
        Ok(start.elapsed().as_secs_f64())
    }
}
