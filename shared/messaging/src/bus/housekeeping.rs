use std::time::{Duration, Instant};

use anyhow::ensure;
use database::within_limit;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{Bus, Inner};
use crate::transport::Transport;
use crate::{inbox, outbox};

/// How often the outbox is measured.
const INTERVAL: Duration = Duration::from_secs(5);

impl Bus {
    /// Measures the outbox, on which [`is_overloaded`](Self::is_overloaded) leans, gives it as many shards as
    /// are wanted, and forgets old inbox entries, until stopped. The database may come and go. In a
    /// demonstration this also hears what is asked of the consumers of this process.
    ///
    /// # Errors
    ///
    /// When the tables are gone or are others than before, because somebody has dropped the database
    /// and created it anew: the process should end and be started again, which migrates.
    pub fn housekeeping(
        &self,
        token: CancellationToken,
    ) -> impl Future<Output = anyhow::Result<()>> + Send + use<> {
        let bus = self.clone();
        async move {
            let hearing = async {
                bus.hear_controls(&token).await;
                Ok(())
            };
            tokio::try_join!(bus.keep_house_until(&token), hearing).map(drop)
        }
    }

    async fn keep_house_until(&self, token: &CancellationToken) -> anyhow::Result<()> {
        let mut tick = tokio::time::interval(INTERVAL);
        let (mut known, mut is_waiting) = (None, false);
        let mut pruning = inbox::Pruning::default();
        while token.run_until_cancelled(tick.tick()).await.is_some() {
            // Whoever cannot be asked has not changed.
            if let Ok(tables) = within_limit(which_tables(&self.inner.consuming.pool)).await {
                let before = known.get_or_insert(tables);
                ensure!(
                    *before == tables,
                    "the tables in the database are gone or are others than before; the next start migrates"
                );
            }
            let kept = async {
                self.divide_outbox(&mut is_waiting).await?;
                self.keep_house(&mut pruning, token).await
            };
            if let Err(error) = kept.await {
                let error = format!("{error:#}");
                warn!(error, "housekeeping failed, next try in {INTERVAL:?}");
            }
        }
        Ok(())
    }

    async fn keep_house(
        &self,
        pruning: &mut inbox::Pruning,
        token: &CancellationToken,
    ) -> sqlx::Result<()> {
        let Inner {
            outbox_metrics,
            args,
            consuming,
            ..
        } = &*self.inner;
        let (pool, pressure) = (&consuming.pool, &consuming.pressure);
        let mut backlogs = Vec::new();
        for transport in Transport::ALL {
            let backlog = outbox::backlog(pool, transport, pressure.countable());
            let backlog = within_limit(backlog).await?;
            outbox_metrics.backlog(transport, backlog);
            backlogs.push(backlog);
        }
        pressure.measured(&backlogs);
        // In portions, as many as there is time for: then the outbox has to be measured again.
        let started = Instant::now();
        while !token.is_cancelled()
            && started.elapsed() < INTERVAL
            && within_limit(pruning.pass(pool, args.inbox_retention)).await? > 0
        {}
        Ok(())
    }
}

/// Which tables of migrations there are, of this crate and of the service: they are created once in the
/// life of a database.
async fn which_tables(pool: &PgPool) -> sqlx::Result<[Option<i64>; 2]> {
    let (messaging, service) = sqlx::query_as(
        "select to_regclass('messaging._migrations')::oid::bigint, to_regclass('_sqlx_migrations')::oid::bigint",
    )
    .fetch_one(pool)
    .await?;
    Ok([messaging, service])
}
