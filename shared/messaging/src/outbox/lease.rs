use std::sync::Arc;
use std::time::{Duration, Instant};

use database::within_limit;
use sqlx::postgres::PgArguments;
use sqlx::query::QueryScalar;
use sqlx::{PgPool, Postgres};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::handover::Handover;
use crate::transport::Transport;

/// How long a relay that stopped renewing keeps its shards.
const LEASE: Duration = Duration::from_secs(5);
/// How often a relay renews, and looks for shards that nobody holds.
const RENEWAL: Duration = Duration::from_secs(1);

/// The shards of the outbox that this relay may publish.
///
/// All expiry is judged by the clock of the database; this process only judges how old its own
/// last renewal is, by a monotonic clock that also runs while the process is stopped.
pub(crate) struct Lease {
    pool: PgPool,
    transport: Transport,
    instance: Uuid,
    handover: Arc<Handover>,
}

impl Lease {
    pub(crate) fn new(pool: PgPool, transport: Transport, handover: Arc<Handover>) -> Self {
        Self {
            pool,
            transport,
            instance: Uuid::now_v7(),
            handover,
        }
    }

    /// Renews until stopped; then hands the shards back, so that others need not wait for them to expire.
    pub(crate) async fn keep(&self, token: &CancellationToken) {
        let mut tick = tokio::time::interval(RENEWAL);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while token.run_until_cancelled(tick.tick()).await.is_some() {
            let before = self.handover.held();
            // Measured from before the statement, so that we never believe to hold it longer
            // than the database does.
            let until = Instant::now() + LEASE;
            match within_limit(self.renew()).await {
                Ok(shards) => {
                    self.handover.hold(&shards, until);
                    if shards != before {
                        self.handover.look();
                        let transport = self.transport.as_str();
                        info!(
                            transport,
                            ?shards,
                            "relay to {transport} holds shards {shards:?}"
                        );
                    }
                }
                Err(error) => {
                    let transport = self.transport.as_str();
                    let error = format!("{error:#}");
                    warn!(
                        transport,
                        error, "cannot renew the lease of the outbox for {transport}"
                    );
                }
            }
        }
        self.handover.hold(&[], Instant::now());
        if let Err(error) = within_limit(self.release()).await {
            let transport = self.transport.as_str();
            let error = format!("{error:#}");
            warn!(
                transport,
                error, "cannot hand back the lease of the outbox for {transport}, it will expire"
            );
        }
    }

    /// Keeps what it has up to a fair share, lets go of the rest, and takes what nobody holds.
    async fn renew(&self) -> sqlx::Result<Vec<i16>> {
        let renew = renew_query(self.transport, self.instance);
        let mut shards = renew.fetch_all(&self.pool).await?;
        shards.sort_unstable();
        Ok(shards)
    }

    async fn release(&self) -> sqlx::Result<()> {
        sqlx::query(
            "with gone as (delete from messaging.relays where transport = $1 and instance = $2)
             update messaging.leases set owner = null where transport = $1 and owner = $2",
        )
        .bind(self.transport.as_str())
        .bind(self.instance)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

pub(super) fn renew_query(
    transport: Transport,
    instance: Uuid,
) -> QueryScalar<'static, Postgres, i16, PgArguments> {
    sqlx::query_scalar(
        "with beat as (
             insert into messaging.relays (transport, instance, expires_at)
             values ($1, $2, clock_timestamp() + make_interval(secs => $3))
             on conflict (transport, instance) do update set expires_at = excluded.expires_at
         ), gone as (
             delete from messaging.relays where expires_at < clock_timestamp() - interval '1 minute'
         ), live as (
             select count(*) + 1 as relays from messaging.relays
             where transport = $1 and instance <> $2 and expires_at > clock_timestamp()
         ), fair as (
             select ceil(count(*)::numeric / (select relays from live)) as share
             from messaging.leases where transport = $1
         ), mine as (
             select shard, row_number() over (order by shard) as n
             from messaging.leases where transport = $1 and owner = $2
         ), free as (
             select shard from messaging.leases
             where transport = $1 and owner is distinct from $2
               and (owner is null or expires_at < clock_timestamp())
             order by shard
             limit greatest((select share from fair) - (select count(*) from mine), 0)
             for update skip locked
         ), released as (
             update messaging.leases set owner = null
             where transport = $1 and owner = $2
               and shard in (select shard from mine where n > (select share from fair))
         )
         update messaging.leases
         set owner = $2, expires_at = clock_timestamp() + make_interval(secs => $3)
         where transport = $1
           -- Asked again because another relay may just have taken what had expired.
           and (owner = $2 and shard in (select shard from mine where n <= (select share from fair))
                or shard in (select shard from free))
         returning shard",
    )
    .bind(transport.as_str())
    .bind(instance)
    .bind(LEASE.as_secs_f64())
}
