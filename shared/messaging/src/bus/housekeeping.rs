use std::time::{Duration, Instant};

use anyhow::ensure;
use database::within_limit;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{Bus, Inner};
use crate::consume::Consuming;
use crate::outbox::Tables;
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
            let measured = self.measure().await;
            self.inner.answers.note(measured.is_ok());
            let tables = match &measured {
                Ok(tables) => Some(*tables),
                // Whoever cannot be asked has not changed.
                Err(_) => self.tables_unmeasured().await,
            };
            if let Some(tables) = tables {
                let before = known.get_or_insert(tables);
                ensure!(
                    *before == tables,
                    "the tables in the database are gone or are others than before; the next start migrates"
                );
            }
            let kept = async {
                measured?;
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

    /// Measures the outbox, and says in which tables that is.
    async fn measure(&self) -> sqlx::Result<Tables> {
        let Inner {
            outbox_metrics,
            consuming,
            ..
        } = &*self.inner;
        let Consuming { pool, pressure, .. } = consuming;
        let measuring = outbox::backlogs(pool, pressure.countable());
        let (tables, backlogs) = within_limit(measuring).await?;
        pressure.measured(&backlogs);
        for (transport, backlog) in Transport::ALL.into_iter().zip(backlogs) {
            outbox_metrics.backlog(transport, backlog);
        }
        Ok(tables)
    }

    /// The tables of an outbox that cannot be measured, if the database answers: then it is full after a while.
    async fn tables_unmeasured(&self) -> Option<Tables> {
        let Consuming { pool, pressure, .. } = &self.inner.consuming;
        let tables = within_limit(outbox::which_tables(pool)).await.ok();
        match tables {
            Some(_) => pressure.not_measured(Instant::now()),
            None => pressure.not_answered(Instant::now()),
        }
        tables
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
        while pruning.is_due()
            && !token.is_cancelled()
            && started.elapsed() < INTERVAL
            && within_limit(pruning.pass(pool, retention)).await? > 0
        {}
        Ok(())
    }
}
