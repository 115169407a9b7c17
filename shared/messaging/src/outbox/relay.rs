use std::sync::Arc;
use std::time::{Duration, Instant};

use database::within_limit;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::lease::Lease;
use super::metrics::OutboxMetrics;
use super::publish::{Publish, PublishError};
use super::row::Row;
use super::store;
use super::wake::Wake;
use crate::backoff::Backoff;
use crate::faults::crash_point::{self, CrashPoint};
use crate::transport::Transport;

/// How many rows are on their way at once. Beyond a few hundred neither broker gets faster, and
/// lapin gets slower (each confirm scans what is pending).
const WINDOW: i64 = 500;

/// What is left of a window that was halved again and again, because the broker did not confirm in time.
const SMALLEST_WINDOW: i64 = 8;

/// How long a relay that is to stop waits for the confirms of what it has published. Without them
/// the messages stay in the outbox, to be published again.
const LAST_WINDOW: Duration = Duration::from_secs(3);

/// Moves rows from the outbox to a broker: take what is due, publish, wait for the confirms, and
/// delete when taking the next. A row is published at least once, and in order within its shard, except
/// that one which a broker refuses is put aside and those behind it go on.
pub(crate) struct Relay<P> {
    pub(crate) pool: PgPool,
    pub(crate) transport: Transport,
    pub(crate) publisher: P,
    pub(crate) wake: Arc<Wake>,
    pub(crate) poll: Duration,
    pub(crate) metrics: Arc<OutboxMetrics>,
}

impl<P: Publish> Relay<P> {
    /// Runs until stopped. What is then left in the outbox stays there for the next instance.
    pub(crate) async fn run(self, token: CancellationToken) -> anyhow::Result<()> {
        let lease = Lease::new(self.pool.clone(), self.transport);
        let wake = Arc::clone(&self.wake);
        let transport = self.transport;
        let done = CancellationToken::new();
        tokio::join!(
            lease.keep(&done, || wake.of(transport).notify_one()),
            async {
                self.relay(&lease, &token).await;
                done.cancel();
            }
        );
        Ok(())
    }

    async fn relay(mut self, lease: &Lease, token: &CancellationToken) {
        let mut confirmed = Vec::new();
        self.publish_until(lease, &mut confirmed, token).await;
        if let Err(error) = self.forget_and_take(&mut confirmed, &[], 0).await {
            let transport = self.transport.as_str();
            let error = format!("{error:#}");
            warn!(
                transport,
                error,
                "messages that {transport} has confirmed stay in the outbox and will be published again"
            );
        }
    }

    async fn publish_until(
        &mut self,
        lease: &Lease,
        confirmed: &mut Vec<i64>,
        token: &CancellationToken,
    ) {
        let transport = self.transport.as_str();
        let mut backoff = None;
        let mut window = WINDOW;
        let out_of_time = async || {
            token.cancelled().await;
            tokio::time::sleep(LAST_WINDOW).await;
        };
        while !token.is_cancelled() {
            let result = tokio::select! {
                result = self.pass(lease, confirmed, window) => result,
                () = out_of_time() => return,
            };
            let pause = match result {
                Ok(0) => {
                    backoff = None;
                    self.poll
                }
                Ok(_) => {
                    window = (2 * window).min(WINDOW);
                    if backoff.take().is_some() {
                        info!(transport, "relay publishes to {transport} again");
                    }
                    continue;
                }
                Err(error) => {
                    window = (window / 2).max(SMALLEST_WINDOW);
                    if backoff.is_none() {
                        let error = format!("{error:#}");
                        warn!(
                            transport,
                            error, "relay cannot publish to {transport}, retrying"
                        );
                    }
                    backoff.get_or_insert_with(Backoff::default).next_pause()
                }
            };
            let woken = async {
                // A broker that is away is not asked more often because orders come in.
                if backoff.is_some() {
                    std::future::pending::<()>().await;
                }
                self.wake.of(self.transport).notified().await;
            };
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep(pause) => {}
                () = token.cancelled() => {}
            }
        }
    }

    /// One window; returns how many rows were confirmed. They are added to `confirmed` and
    /// forgotten by the next pass.
    async fn pass(
        &mut self,
        lease: &Lease,
        confirmed: &mut Vec<i64>,
        window: i64,
    ) -> anyhow::Result<usize> {
        self.publisher.prepare().await?;
        let shards = lease.shards();
        if shards.is_empty() && confirmed.is_empty() {
            return Ok(0);
        }
        let rows = self.forget_and_take(confirmed, &shards, window).await?;
        // The process may have been stopped since: then these rows are somebody else's by now.
        let held = lease.shards();
        if rows.is_empty() || !shards.iter().all(|shard| held.contains(shard)) {
            return Ok(0);
        }
        crash_point::reach(CrashPoint::taken(self.transport));
        let started = Instant::now();
        let results = self.publisher.publish(&rows).await;
        crash_point::reach(CrashPoint::confirmed(self.transport));

        self.metrics
            .relayed(self.transport, &rows, &results, started.elapsed());
        let (mut refused, mut unavailable) = (Vec::new(), None);
        for (row, result) in rows.iter().zip(results) {
            match result {
                Ok(()) => confirmed.push(row.seq),
                Err(PublishError::Refused(reason)) => {
                    refused.push(row.seq);
                    warn!(
                        message_id = %row.message_id, message_type = row.message_type,
                        destination = row.destination, routing_key = row.routing_key,
                        attempts = row.attempts + 1, reason,
                        "message {} refused, kept in the outbox for another attempt", row.message_id
                    );
                }
                Err(error @ PublishError::Unavailable(_)) => unavailable = Some(error),
            }
        }
        if !refused.is_empty() {
            within_limit(store::defer(&self.pool, self.transport, &refused)).await?;
        }
        match unavailable {
            Some(error) => Err(error.into()),
            None => Ok(confirmed.len()),
        }
    }

    /// Forgets what is confirmed and takes what is due in these shards.
    async fn forget_and_take(
        &self,
        confirmed: &mut Vec<i64>,
        shards: &[i16],
        window: i64,
    ) -> sqlx::Result<Vec<Row>> {
        let rows = store::forget_and_take(&self.pool, self.transport, confirmed, shards, window);
        let rows = within_limit(rows).await?;
        confirmed.clear();
        Ok(rows)
    }
}

#[cfg(test)]
mod tests;
