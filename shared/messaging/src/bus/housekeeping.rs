use std::time::{Duration, Instant};

use anyhow::ensure;
use database::within_limit;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{Bus, Inner};
use crate::outbox::Backlog;
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
            let tables = within_limit(which_tables(&self.inner.consuming.pool)).await;
            let answers = tables.is_ok();
            if let Ok(tables) = tables {
                let before = known.get_or_insert(tables);
                ensure!(
                    *before == tables,
                    "the tables in the database are gone or are others than before; the next start migrates"
                );
            }
            let kept = async {
                self.measure(answers).await?;
                self.divide_outbox(&mut is_waiting).await?;
                self.prune(&mut pruning, token).await
            };
            if let Err(error) = kept.await {
                let error = format!("{error:#}");
                warn!(error, "housekeeping failed, next try in {INTERVAL:?}");
            }
        }
        Ok(())
    }

    /// Measures the outbox. One that cannot be measured although the database answers is full after a while; without
    /// a database nothing is accepted anyway.
    async fn measure(&self, answers: bool) -> sqlx::Result<()> {
        let pressure = &self.inner.consuming.pressure;
        let backlogs = self.backlogs().await;
        match &backlogs {
            Ok(backlogs) => pressure.measured(backlogs),
            Err(_) if answers => pressure.not_measured(Instant::now()),
            Err(_) => {}
        }
        backlogs.map(drop)
    }

    async fn backlogs(&self) -> sqlx::Result<Vec<Backlog>> {
        let Inner {
            outbox_metrics,
            consuming,
            ..
        } = &*self.inner;
        let mut backlogs = Vec::new();
        for transport in Transport::ALL {
            let countable = consuming.pressure.countable();
            let backlog = outbox::backlog(&consuming.pool, transport, countable);
            let backlog = within_limit(backlog).await?;
            outbox_metrics.backlog(transport, backlog);
            backlogs.push(backlog);
        }
        Ok(backlogs)
    }

    /// Forgets old entries of the inbox, in portions, as many as there is time for: then the outbox has to be
    /// measured again.
    async fn prune(
        &self,
        pruning: &mut inbox::Pruning,
        token: &CancellationToken,
    ) -> sqlx::Result<()> {
        let (pool, retention) = (&self.inner.consuming.pool, self.inner.args.inbox_retention);
        let started = Instant::now();
        while !token.is_cancelled()
            && started.elapsed() < INTERVAL
            && within_limit(pruning.pass(pool, retention)).await? > 0
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
