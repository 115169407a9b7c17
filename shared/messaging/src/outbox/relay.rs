use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::BackoffBuilder;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::lease::Lease;
use super::store;
use crate::faults::crash_point::{self, CrashPoint};
use crate::metrics::Metrics;
use crate::outbox::{Row, Transport, Wake, in_time};

/// How many rows are on their way at once. Beyond a few hundred neither broker gets faster, and
/// lapin gets slower (each confirm scans what is pending).
const WINDOW: i64 = 500;

/// What is left of a window that was halved again and again, because the broker did not confirm in time.
const SMALLEST_WINDOW: i64 = 8;

/// How long a relay that is to stop waits for the confirms of what it has published. Without them
/// the messages stay in the outbox, to be published again.
const LAST_WINDOW: Duration = Duration::from_secs(3);

/// Where a relay publishes to.
pub(crate) trait Publish: Send {
    /// Connects, and declares what this service owns at the broker: before there is anything to
    /// publish, since others may wait for it. Cheap when done already.
    fn prepare(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Publishes rows in the order given and waits until the broker has taken a position on
    /// each of them. Answers in the same order.
    fn publish(
        &mut self,
        rows: &[Row],
    ) -> impl Future<Output = Vec<Result<(), PublishError>>> + Send;
}

/// Why a message is still in the outbox.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum PublishError {
    /// The broker is away, blocked or silent: nothing is known about the message.
    #[error("broker unavailable: {0}")]
    Unavailable(String),
    /// The broker speaks and does not want this message.
    #[error("refused: {0}")]
    Refused(String),
}

/// Moves rows from the outbox to a broker: take what is due, publish, wait for the confirms, and
/// delete when taking the next. A row is published at least once, and in order within its shard, except
/// that one which a broker refuses is put aside and those behind it go on.
pub(crate) struct Relay<P> {
    pub(crate) pool: PgPool,
    pub(crate) transport: Transport,
    pub(crate) publisher: P,
    pub(crate) wake: Arc<Wake>,
    pub(crate) poll: Duration,
    pub(crate) metrics: Arc<Metrics>,
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
        if let Err(error) = self.advance(&mut confirmed, &[], 0).await {
            warn!(%error, "confirmed messages stay in the outbox and will be published again");
        }
    }

    async fn publish_until(
        &mut self,
        lease: &Lease,
        confirmed: &mut Vec<i64>,
        token: &CancellationToken,
    ) {
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
                        info!(transport = self.transport.as_str(), "relay publishes again");
                    }
                    continue;
                }
                Err(error) => {
                    window = (window / 2).max(SMALLEST_WINDOW);
                    if backoff.is_none() {
                        warn!(
                            transport = self.transport.as_str(),
                            error = format!("{error:#}"),
                            "relay cannot publish, retrying"
                        );
                    }
                    backoff
                        .get_or_insert_with(pauses)
                        .next()
                        .unwrap_or(LONGEST_PAUSE)
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
        let rows = self.advance(confirmed, &shards, window).await?;
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
                        "message refused, kept in the outbox for another attempt"
                    );
                }
                Err(error @ PublishError::Unavailable(_)) => unavailable = Some(error),
            }
        }
        if !refused.is_empty() {
            in_time(store::defer(&self.pool, self.transport, &refused)).await?;
        }
        match unavailable {
            Some(error) => Err(error.into()),
            None => Ok(confirmed.len()),
        }
    }

    /// Forgets what is confirmed and takes what is due in these shards.
    async fn advance(
        &self,
        confirmed: &mut Vec<i64>,
        shards: &[i16],
        window: i64,
    ) -> sqlx::Result<Vec<Row>> {
        let rows = store::advance(&self.pool, self.transport, confirmed, shards, window);
        let rows = in_time(rows).await?;
        confirmed.clear();
        Ok(rows)
    }
}

const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Pauses between attempts to reach a broker, with jitter so that instances do not move in step.
pub(crate) fn pauses() -> backon::ExponentialBackoff {
    backon::ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(LONGEST_PAUSE)
        .with_jitter()
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests {
    use std::iter::repeat_n;
    use std::sync::{Mutex, PoisonError};

    use super::*;
    use crate::outbox::NewRow;

    const ROWS: usize = 300;

    /// A broker that confirms no more than this many at once in time, until it has confirmed so many in
    /// all. A real one cannot be told to.
    const AT_ONCE: usize = 100;
    const SLOW_FOR: usize = 124;

    #[derive(Clone, Default)]
    struct SlowBroker {
        windows: Arc<Mutex<Vec<usize>>>,
        confirmed: usize,
    }

    impl Publish for SlowBroker {
        async fn prepare(&mut self) -> anyhow::Result<()> {
            Ok(())
        }

        async fn publish(&mut self, rows: &[Row]) -> Vec<Result<(), PublishError>> {
            let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
            windows.push(rows.len());
            if rows.len() > AT_ONCE && self.confirmed < SLOW_FOR {
                let late = PublishError::Unavailable("no confirm in time".into());
                return repeat_n(Err(late), rows.len()).collect();
            }
            self.confirmed += rows.len();
            repeat_n(Ok(()), rows.len()).collect()
        }
    }

    #[sqlx::test(migrations = false)]
    async fn a_broker_that_is_slow_gets_less_at_once_and_more_again_later(
        pool: PgPool,
    ) -> anyhow::Result<()> {
        crate::migrate(&pool).await?;
        let rows: Vec<_> = numbered(ROWS).collect();
        store::insert(&mut *pool.acquire().await?, &rows).await?;
        let (broker, token) = (SlowBroker::default(), CancellationToken::new());
        let relay = Relay {
            pool: pool.clone(),
            transport: Transport::RabbitMq,
            publisher: broker.clone(),
            wake: Arc::default(),
            poll: Duration::from_millis(10),
            metrics: Arc::new(Metrics::new()),
        };
        let relaying = tokio::spawn(relay.run(token.clone()));

        let all_is_published = async {
            let left = "select count(*) from messaging.outbox";
            while sqlx::query_scalar::<_, i64>(left).fetch_one(&pool).await? > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(Duration::from_secs(90), all_is_published).await??;
        token.cancel();
        relaying.await??;
        let windows = broker.windows.lock();
        let windows = windows.unwrap_or_else(PoisonError::into_inner);
        // All there is; then halves of 500; twice as much after each success, but for the last rows.
        assert_eq!(*windows, [ROWS, 250, 125, 62, 124, 62, 124, 52]);
        Ok(())
    }

    fn numbered(rows: usize) -> impl Iterator<Item = NewRow> {
        (0..rows).map(|number| NewRow {
            transport: Transport::RabbitMq,
            destination: "",
            routing_key: "test".into(),
            ordering_key: number.to_string(),
            message_type: "test.row.v1",
            traceparent: None,
            body: Vec::new(),
        })
    }
}
