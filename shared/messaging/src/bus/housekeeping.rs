use std::time::{Duration, Instant};

use database::within_limit;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{Bus, Inner};
use crate::transport::Transport;
use crate::{inbox, outbox};

/// How often the outbox is measured.
const INTERVAL: Duration = Duration::from_secs(5);

impl Bus {
    /// Measures the outbox, on which [`is_overloaded`](Self::is_overloaded) leans, and forgets old inbox
    /// entries, until stopped. The database may come and go.
    ///
    /// # Errors
    ///
    /// None; it is a `Result` because that is what the life cycle of a process wants of a task.
    pub fn housekeeping(
        &self,
        token: CancellationToken,
    ) -> impl Future<Output = anyhow::Result<()>> + Send + use<> {
        let bus = self.clone();
        async move {
            let mut tick = tokio::time::interval(INTERVAL);
            while token.run_until_cancelled(tick.tick()).await.is_some() {
                if let Err(error) = bus.keep_house(&token).await {
                    let error = format!("{error:#}");
                    warn!(error, "housekeeping failed, next try in {INTERVAL:?}");
                }
            }
            Ok(())
        }
    }

    async fn keep_house(&self, token: &CancellationToken) -> sqlx::Result<()> {
        let Inner {
            outbox_metrics,
            pressure,
            args,
            consuming,
            ..
        } = &*self.inner;
        let pool = &consuming.pool;
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
            && within_limit(inbox::prune(pool, args.inbox_retention)).await? > 0
        {}
        Ok(())
    }
}
