use std::sync::Arc;
use std::time::{Duration, Instant};

use database::within_limit;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::handover::Handover;
use super::lease::Lease;
use super::metrics::OutboxMetrics;
use super::publish::{Publish, PublishError};
use super::row::Row;
use super::store;
use super::wire::Wire;
use crate::backoff::Backoff;
use crate::faults::crash_point::{self, CrashPoint};
use crate::transport::Transport;

/// How many rows are on their way at once. Beyond a few hundred neither broker gets faster, and
/// lapin gets slower (each confirm scans what is pending).
const WINDOW: usize = 500;

/// What is left of a window that was halved again and again, because the broker did not confirm in time.
const SMALLEST_WINDOW: usize = 8;

/// How long a relay that is to stop waits for the confirms of what it has published. Without them
/// the messages stay in the outbox, to be published again.
const LAST_WINDOW: Duration = Duration::from_secs(3);

/// So long, or so many, confirmed rows stay in the table: one deletion for many.
const LAZY: Duration = Duration::from_millis(100);
const LAZY_ROWS: usize = 500;

/// Moves rows from the outbox to a broker: takes what is handed over, and what waits in the table, publishes
/// it and waits for the confirms. A row is published at least once, and in order within its shard, except
/// that one which a broker refuses is put aside and those behind it go on.
///
/// It looks into the table only when something may wait there: after a word of it, after each deletion of what
/// is confirmed, and every `poll`.
pub(crate) struct Relay<P> {
    pub(crate) pool: PgPool,
    pub(crate) transport: Transport,
    pub(crate) publisher: P,
    pub(crate) handover: Arc<Handover>,
    pub(crate) poll: Duration,
    pub(crate) metrics: Arc<OutboxMetrics>,
}

/// Rows that are confirmed and still in the table.
struct Confirmed {
    seqs: Vec<i64>,
    /// When the table was last looked at, and these were forgotten.
    looked: Instant,
}

impl Confirmed {
    fn is_due(&self) -> bool {
        self.seqs.len() >= LAZY_ROWS || !self.seqs.is_empty() && self.looked.elapsed() >= LAZY
    }
}

impl<P: Publish> Relay<P> {
    /// Runs until stopped. What is then left in the outbox stays there for the next instance.
    pub(crate) async fn run(self, token: CancellationToken) -> anyhow::Result<()> {
        let lease = Lease::new(
            self.pool.clone(),
            self.transport,
            Arc::clone(&self.handover),
        );
        let wire = Wire::new(&self.pool, self.transport, Arc::clone(&self.handover));
        let done = CancellationToken::new();
        tokio::join!(lease.keep(&done), wire.keep(&done), async {
            self.relay(&token).await;
            done.cancel();
        });
        Ok(())
    }

    async fn relay(mut self, token: &CancellationToken) {
        let mut confirmed = Confirmed {
            seqs: Vec::new(),
            looked: Instant::now(),
        };
        self.handover.look();
        self.publish_until(&mut confirmed, token).await;
        if let Err(error) = self.look(&mut confirmed, &[], 0).await {
            let transport = self.transport.as_str();
            let error = format!("{error:#}");
            warn!(
                transport,
                error,
                "messages that {transport} has confirmed stay in the outbox and will be published again"
            );
        }
    }

    async fn publish_until(&mut self, confirmed: &mut Confirmed, token: &CancellationToken) {
        let transport = self.transport.as_str();
        let mut backoff = None;
        let mut window = WINDOW;
        let out_of_time = async || {
            token.cancelled().await;
            tokio::time::sleep(LAST_WINDOW).await;
        };
        while !token.is_cancelled() {
            let result = tokio::select! {
                result = self.pass(confirmed, window) => result,
                () = out_of_time() => return,
            };
            let pause = match result {
                Ok(0) => {
                    backoff = None;
                    let lazy = if confirmed.seqs.is_empty() {
                        self.poll
                    } else {
                        LAZY
                    };
                    lazy.saturating_sub(confirmed.looked.elapsed())
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

    /// One window; returns how many rows were confirmed.
    async fn pass(&mut self, confirmed: &mut Confirmed, window: usize) -> anyhow::Result<usize> {
        self.publisher.prepare().await?;
        let shards = self.handover.held();
        if shards.is_empty() && confirmed.seqs.is_empty() {
            return Ok(0);
        }
        let mut found = Vec::new();
        if self.handover.take_look()
            || confirmed.is_due()
            || confirmed.looked.elapsed() >= self.poll
        {
            let looked = self.look(confirmed, &shards, window).await;
            found = looked.inspect_err(|_| self.handover.look())?;
        }
        // The process may have been stopped since: then these rows are somebody else's by now.
        let held = self.handover.held();
        if !shards.iter().all(|shard| held.contains(shard)) {
            self.handover.look();
            return Ok(0);
        }
        let is_full = found.len() == window;
        let rows = self.handover.take(&shards, found, window);
        if is_full {
            self.handover.look();
        }
        if rows.is_empty() {
            return Ok(0);
        }
        let result = self.publish(&rows, confirmed).await;
        // Whatever is not settled by now is to be published again.
        self.handover
            .put_back(&rows.iter().map(|row| row.seq).collect::<Vec<_>>());
        result.inspect_err(|_| self.handover.look())
    }

    async fn publish(&mut self, rows: &[Row], confirmed: &mut Confirmed) -> anyhow::Result<usize> {
        crash_point::reach(CrashPoint::taken(self.transport));
        let started = Instant::now();
        let results = self.publisher.publish(rows).await;
        crash_point::reach(CrashPoint::confirmed(self.transport));

        self.metrics
            .relayed(self.transport, rows, &results, started.elapsed());
        let (mut done, mut refused, mut unavailable) = (Vec::new(), Vec::new(), None);
        for (row, result) in rows.iter().zip(results) {
            match result {
                Ok(()) => done.push(row.seq),
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
        confirmed.seqs.extend_from_slice(&done);
        self.handover.done(&done);
        if !refused.is_empty() {
            within_limit(store::defer(&self.pool, self.transport, &refused)).await?;
            self.handover.done(&refused);
        }
        match unavailable {
            Some(error) => Err(error.into()),
            None => Ok(done.len()),
        }
    }

    /// Forgets what is confirmed, and returns what is due in these shards and not known.
    async fn look(
        &self,
        confirmed: &mut Confirmed,
        shards: &[i16],
        window: usize,
    ) -> sqlx::Result<Vec<Row>> {
        let (known, doubtful) = self.handover.known_and_doubtful();
        let limit = i64::try_from(window).unwrap_or(i64::MAX);
        let seqs = &confirmed.seqs;
        let rows = store::forget_and_take(&self.pool, self.transport, seqs, &known, shards, limit);
        let rows = within_limit(rows).await?;
        if !shards.is_empty() {
            self.handover.looked(&doubtful);
        }
        confirmed.seqs.clear();
        confirmed.looked = Instant::now();
        Ok(rows)
    }
}

#[cfg(test)]
mod tests;
