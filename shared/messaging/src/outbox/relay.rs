use std::sync::Arc;
use std::time::{Duration, Instant};

use database::within_limit;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::aside;
use super::handover::Handover;
use super::lease::{Lease, Leases};
use super::metrics::OutboxMetrics;
use super::publish::{Publish, PublishError};
use super::refused::Refused;
use super::row::Row;
use super::wire::Wire;
use crate::backoff::Backoff;
use crate::faults::crash_point::{self, CrashPoint};
use crate::pace::Pace;
use crate::transport::Transport;

/// How many rows are on their way at once. Beyond a few hundred neither broker gets faster, and
/// lapin gets slower (each confirm scans what is pending).
const WINDOW: usize = 500;

/// What is left of a window that was halved again and again, because the broker did not confirm in time.
const SMALLEST_WINDOW: usize = 8;

/// How long a relay that is to stop waits for the confirms of what it has published. Without them
/// the messages stay in the outbox, to be published again.
const LAST_WINDOW: Duration = Duration::from_secs(3);

/// So long confirmed rows stay in the table: one deletion for many.
const LAZY: Duration = Duration::from_millis(100);

/// Moves rows from the outbox to a broker: takes what is handed over, and what waits in the table, publishes
/// it and waits for the confirms. A row is published at least once, and in order within its shard, except
/// that one which a broker refuses is put aside and those behind it go on. What was put aside is tried again in
/// small portions.
///
/// It looks into the table only when something may wait there: after a word of it, with each deletion of what
/// is confirmed, and when a renewal of the leases has found something.
///
/// Where many rows come, windows keep a [`Pace`], because each costs the brokers something whatever is in it: Kafka gets
/// a request for every partition.
pub(crate) struct Relay<P> {
    pub(crate) pool: PgPool,
    pub(crate) transport: Transport,
    pub(crate) publisher: P,
    pub(crate) handover: Arc<Handover>,
    pub(crate) leases: Arc<Leases>,
    pub(crate) metrics: Arc<OutboxMetrics>,
    pub(crate) refused: Refused,
}

/// What a broker says to a window.
struct Asked {
    confirmed: Vec<i64>,
    refused: Vec<i64>,
    unavailable: Option<PublishError>,
}

impl<P: Publish> Relay<P> {
    /// Runs until stopped. What is then left in the outbox stays there for the next instance.
    pub(crate) async fn run(self, token: CancellationToken) -> anyhow::Result<()> {
        let (leases, handover) = (Arc::clone(&self.leases), Arc::clone(&self.handover));
        let lease = Lease::new(leases, self.transport, handover);
        let wire = Wire::new(&self.pool, self.transport, Arc::clone(&self.handover));
        let done = CancellationToken::new();
        tokio::join!(lease.keep(&done), wire.keep(&done), async {
            self.relay(&token).await;
            done.cancel();
        });
        Ok(())
    }

    async fn relay(mut self, token: &CancellationToken) {
        self.handover.look();
        self.publish_until(token).await;
        if let Err(error) = self.look(&[], 0).await {
            let transport = self.transport.as_str();
            let error = format!("{error:#}");
            warn!(
                transport,
                error,
                "messages that {transport} has confirmed stay in the outbox and will be published again"
            );
        }
    }

    async fn publish_until(&mut self, token: &CancellationToken) {
        let (mut looked, mut pace) = (None, Pace::default());
        let transport = self.transport.as_str();
        let mut backoff = None;
        let mut window = WINDOW;
        let out_of_time = async || {
            token.cancelled().await;
            tokio::time::sleep(LAST_WINDOW).await;
        };
        while !token.is_cancelled() {
            let result = tokio::select! {
                result = self.pass(&mut looked, &mut pace, window) => result,
                () = out_of_time() => return,
            };
            let pause = match result {
                Ok(0) => {
                    backoff = None;
                    self.until_next_look(looked).min(self.refused.until_due())
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
                self.handover.woken().await;
            };
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep(pause) => {}
                () = token.cancelled() => {}
            }
        }
    }

    /// How long until the table is to be looked at without a word of anybody, if it is.
    fn until_next_look(&self, looked: Option<Instant>) -> Duration {
        if !self.handover.has_confirmed() {
            return Duration::MAX;
        }
        looked.map_or(Duration::ZERO, |looked| {
            LAZY.saturating_sub(looked.elapsed())
        })
    }

    /// One window; returns how many rows were confirmed or put aside.
    async fn pass(
        &mut self,
        looked: &mut Option<Instant>,
        pace: &mut Pace,
        window: usize,
    ) -> anyhow::Result<usize> {
        pace.wait().await;
        let shards = self.handover.held();
        if shards.is_empty() && !self.handover.has_confirmed() {
            self.publisher.prepare().await?;
            // The first shard comes with a word.
            *looked = Some(Instant::now());
            self.refused.left_to_others();
            return Ok(0);
        }
        let mut moved = 0;
        // Before the broker is there: nothing is handed over for a shard that was not looked at.
        if self.handover.take_look() || self.until_next_look(*looked).is_zero() {
            let look = self.look(&shards, window).await;
            moved += look.inspect_err(|_| self.handover.look())?;
            *looked = Some(Instant::now());
        }
        self.publisher.prepare().await?;
        // The process may have been stopped since: then these rows are somebody else's by now.
        let held = self.handover.held();
        if !shards.iter().all(|shard| held.contains(shard)) {
            self.handover.look();
            return Ok(0);
        }
        let rows = self.handover.take(&shards, window);
        pace.took(rows.len(), window);
        if !rows.is_empty() {
            let result = self.publish(&rows).await;
            pace.ended();
            // Whatever is not settled by now is to be published again.
            let seqs: Vec<_> = rows.iter().map(|row| row.seq).collect();
            self.handover.put_back(&seqs);
            moved += result?;
        }
        Ok(moved + self.retry(window).await?)
    }

    async fn publish(&mut self, rows: &[Row]) -> anyhow::Result<usize> {
        let asked = self.ask(rows, false).await;
        self.handover.confirmed(&asked.confirmed);
        if !asked.refused.is_empty() {
            let put = aside::put(&self.pool, self.transport, &asked.refused, 1);
            within_limit(put).await?;
            self.handover.refused(&asked.refused);
        }
        match asked.unavailable {
            Some(error) => Err(error.into()),
            None => Ok(asked.confirmed.len() + asked.refused.len()),
        }
    }

    /// Publishes, and takes note of the answers. `is_sample` if these rows had been refused before.
    async fn ask(&mut self, rows: &[Row], is_sample: bool) -> Asked {
        crash_point::reach(CrashPoint::taken(self.transport));
        let started = Instant::now();
        let results = self.publisher.publish(rows).await;
        crash_point::reach(CrashPoint::confirmed(self.transport));

        self.metrics
            .relayed(self.transport, rows, &results, started.elapsed());
        self.refused.note(self.transport, rows, &results, is_sample);
        let (mut confirmed, mut refused, mut unavailable) = (Vec::new(), Vec::new(), None);
        for (row, result) in rows.iter().zip(results) {
            match result {
                Ok(()) => confirmed.push(row.seq),
                Err(PublishError::Refused(_) | PublishError::Closed(_)) => refused.push(row.seq),
                Err(error @ PublishError::Unavailable(_)) => unavailable = Some(error),
            }
        }
        Asked {
            confirmed,
            refused,
            unavailable,
        }
    }
}

mod look;
mod retry;

#[cfg(test)]
mod tests;
