use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use database::{Answers, within_limit};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::handover::Handover;
use crate::transport::Transport;

mod renewal;

pub(super) use renewal::renew_query;
use renewal::{Renewed, release_query, was_ended};

/// How long a relay that stopped renewing keeps its shards.
const LEASE: Duration = Duration::from_secs(5);
/// How often a relay renews at least, and looks for shards that nobody holds. One renewal may fail, or take 3 s.
const RENEWAL: Duration = Duration::from_secs(2);
/// And at most, however often the table is to be looked at.
const MOST_OFTEN: Duration = Duration::from_millis(100);

/// The leases of all relays of a process: one statement renews them, and says whether anything waits in the table.
/// At rest it is all that relays ask of the database.
///
/// On a connection of its own: those of the pool may all be waiting for a lock, and one that is always in use need
/// not be tried.
pub(crate) struct Leases {
    pool: PgPool,
    /// How often the table is to be looked at without a word of anybody.
    poll: Duration,
    /// Who is told whether the database answers.
    answers: Answers,
    relays: Mutex<Vec<Arc<Holder>>>,
    renewing: tokio::sync::Mutex<Renewing>,
}

#[derive(Default)]
struct Renewing {
    connection: Option<PgConnection>,
    /// When the last renewal was begun that succeeded, and whose leases it renewed.
    last: Option<(Instant, Vec<Uuid>)>,
    /// When the relays were last told that something waits.
    told: Option<Instant>,
}

/// Who holds a lease.
struct Holder {
    transport: Transport,
    instance: Uuid,
    handover: Arc<Handover>,
}

impl Leases {
    pub(crate) fn new(pool: PgPool, poll: Duration, answers: Answers) -> Arc<Self> {
        Arc::new(Self {
            pool,
            poll,
            answers,
            relays: Mutex::default(),
            renewing: tokio::sync::Mutex::default(),
        })
    }

    fn period(&self) -> Duration {
        self.poll.clamp(MOST_OFTEN, RENEWAL)
    }

    /// Renews the leases of all relays, unless another one of them has just seen to that.
    async fn renew(&self, asking: &Holder) {
        let mut renewing = self.renewing.lock().await;
        let half = self.period() / 2;
        let is_renewed = |(begun, of): &(Instant, Vec<Uuid>)| {
            begun.elapsed() < half && of.contains(&asking.instance)
        };
        if renewing.last.as_ref().is_some_and(is_renewed) {
            return;
        }
        let relays = self.relays().clone();
        let renewed = within_limit(self.try_renew(&mut renewing, &relays)).await;
        self.answers.note(renewed.is_ok());
        match renewed {
            Ok((begun, renewed)) => {
                let of = relays.iter().map(|relay| relay.instance).collect();
                renewing.last = Some((begun, of));
                let is_time = |told: Instant| told.elapsed() + half >= self.poll;
                let tells = renewing.told.is_none_or(is_time);
                if tells {
                    renewing.told = Some(Instant::now());
                }
                // Whoever has left meanwhile holds nothing more.
                let relays = self.relays();
                for (relay, renewed) in pairs(&relays, &renewed) {
                    relay.renewed(renewed, begun + LEASE, tells);
                }
            }
            Err(error) => {
                let error = format!("{error:#}");
                warn!(error, "cannot renew the leases of the outbox");
            }
        }
    }

    /// What was said, and when the statement was begun.
    async fn try_renew(
        &self,
        renewing: &mut Renewing,
        relays: &[Arc<Holder>],
    ) -> sqlx::Result<(Instant, Vec<Renewed>)> {
        let relays: Vec<_> = relays
            .iter()
            .map(|relay| (relay.transport, relay.instance))
            .collect();
        let mut db = self.connection(renewing).await?;
        // From before the statement, so that we never believe to hold it longer than the database does.
        let begun = Instant::now();
        let renewed = renew_query(&relays).fetch_all(&mut db).await;
        // A server that is that slow would need seconds for another connection.
        if renewed.as_ref().err().is_none_or(was_ended) {
            renewing.connection = Some(db);
        }
        Ok((begun, renewed?))
    }

    /// Hands shards back. Not while a renewal is on its way, which would take them again.
    async fn release(&self, instance: Uuid) -> sqlx::Result<()> {
        let mut renewing = self.renewing.lock().await;
        let mut db = self.connection(&mut renewing).await?;
        release_query(instance).execute(&mut db).await?;
        if self.relays().is_empty() {
            return db.close().await;
        }
        renewing.connection = Some(db);
        Ok(())
    }

    /// The connection, which only comes back if it is not lost.
    async fn connection(&self, renewing: &mut Renewing) -> sqlx::Result<PgConnection> {
        if let Some(db) = renewing.connection.take() {
            return Ok(db);
        }
        let options = self.pool.connect_options();
        PgConnection::connect_with(&options).await
    }

    fn relays(&self) -> MutexGuard<'_, Vec<Arc<Holder>>> {
        self.relays.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Each relay with what was said to it.
fn pairs<'a>(
    relays: &'a [Arc<Holder>],
    renewed: &'a [Renewed],
) -> impl Iterator<Item = (&'a Holder, &'a Renewed)> {
    relays.iter().filter_map(move |relay| {
        let mut renewed = renewed.iter();
        let said = renewed.find(|renewed| renewed.instance == relay.instance)?;
        Some((&**relay, said))
    })
}

impl Holder {
    /// Takes note of what it holds until then, and of what waits in the table.
    fn renewed(&self, renewed: &Renewed, until: Instant, tells: bool) {
        let (transport, shards) = (self.transport.as_str(), &renewed.shards);
        // Nothing, if they had run out by now.
        let before = self.handover.held();
        self.handover.hold(shards, until);
        if renewed.is_refused {
            self.handover.found_refused();
        }
        if renewed.is_waiting && tells {
            self.handover.look();
        }
        if *shards != before {
            info!(
                transport,
                ?shards,
                "relay to {transport} holds shards {shards:?}"
            );
        }
    }
}

/// The shards of the outbox that one relay may publish.
///
/// All expiry is judged by the clock of the database; this process only judges how old its own
/// last renewal is, by a monotonic clock that also runs while the process is stopped.
pub(super) struct Lease {
    leases: Arc<Leases>,
    holder: Arc<Holder>,
}

impl Lease {
    pub(super) fn new(leases: Arc<Leases>, transport: Transport, handover: Arc<Handover>) -> Self {
        let holder = Arc::new(Holder {
            transport,
            instance: Uuid::now_v7(),
            handover,
        });
        holder.handover.is_held_by(holder.instance);
        leases.relays().push(Arc::clone(&holder));
        Self { leases, holder }
    }

    /// Renews until stopped; then hands the shards back, so that others need not wait for them to expire.
    pub(super) async fn keep(&self, token: &CancellationToken) {
        let mut tick = interval(self.leases.period());
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while token.run_until_cancelled(tick.tick()).await.is_some() {
            self.leases.renew(&self.holder).await;
        }
        self.leave();
        let Holder {
            transport,
            instance,
            handover,
        } = &*self.holder;
        handover.hold(&[], Instant::now());
        if let Err(error) = within_limit(self.leases.release(*instance)).await {
            let transport = transport.as_str();
            let error = format!("{error:#}");
            warn!(
                transport,
                error, "cannot hand back the lease of the outbox for {transport}, it will expire"
            );
        }
    }

    fn leave(&self) {
        let instance = self.holder.instance;
        self.leases
            .relays()
            .retain(|relay| relay.instance != instance);
    }
}

impl Drop for Lease {
    /// A relay that ends without being stopped keeps its shards until they expire.
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests;
