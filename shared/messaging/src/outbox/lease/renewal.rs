use sqlx::postgres::PgArguments;
use sqlx::query::{Query, QueryAs};
use sqlx::{FromRow, Postgres};
use uuid::Uuid;

use super::LEASE;
use crate::transport::Transport;

/// What a renewal says to a relay.
#[derive(FromRow)]
pub(crate) struct Renewed {
    /// To whom.
    pub(super) instance: Uuid,
    /// What it holds now.
    pub(super) shards: Vec<i16>,
    /// Something is in the outbox for its broker.
    pub(super) is_waiting: bool,
    /// Something that its broker has refused waits for another attempt.
    pub(super) is_refused: bool,
}

/// For each of these relays, keeps what it has up to a fair share, lets go of the rest, and takes what nobody holds.
pub(crate) fn renew_query(
    relays: &[(Transport, Uuid)],
) -> QueryAs<'static, Postgres, Renewed, PgArguments> {
    let transports: Vec<&'static str> = relays.iter().map(|(of, _)| of.as_str()).collect();
    let instances: Vec<Uuid> = relays.iter().map(|(_, instance)| *instance).collect();
    sqlx::query_as(
        "with me as (
             select * from unnest($1::text[], $2::uuid[]) as relay (transport, instance)
         ), beat as (
             insert into messaging.relays (transport, instance, expires_at)
             select transport, instance, clock_timestamp() + make_interval(secs => $3) from me
             on conflict (transport, instance) do update set expires_at = excluded.expires_at
         ), gone as (
             delete from messaging.relays where expires_at < clock_timestamp() - interval '1 minute'
         ), fair as (
             select transport, instance,
                    ceil((select count(*) from messaging.leases where leases.transport = me.transport)::numeric
                         / (select count(*) + 1 from messaging.relays
                            where relays.transport = me.transport and relays.instance <> me.instance
                              and relays.expires_at > clock_timestamp()))::int8 as share
             from me
         ), mine as (
             select fair.transport, fair.instance, leases.shard, fair.share,
                    row_number() over (partition by fair.instance order by leases.shard) as n
             from fair join messaging.leases
                  on leases.transport = fair.transport and leases.owner = fair.instance
         ), free as (
             select fair.transport, fair.instance, one.shard
             from fair cross join lateral (
                 select leases.shard from messaging.leases
                 where leases.transport = fair.transport and leases.owner is distinct from fair.instance
                   and (leases.owner is null or leases.expires_at < clock_timestamp())
                 order by leases.shard
                 limit greatest(fair.share - (select count(*) from mine where mine.instance = fair.instance), 0)
                 for update skip locked
             ) one
         ), released as (
             update messaging.leases set owner = null
             from mine
             where leases.transport = mine.transport and leases.shard = mine.shard and leases.owner = mine.instance
               and mine.n > mine.share
         ), held as (
             update messaging.leases
             set owner = me.instance, expires_at = clock_timestamp() + make_interval(secs => $3)
             from me
             where leases.transport = me.transport
               -- Asked again because another relay may just have taken what had expired.
               and (leases.owner = me.instance
                    and (me.instance, leases.shard) in (select instance, shard from mine where n <= share)
                    or (me.instance, leases.shard) in (select instance, shard from free))
             returning me.instance, leases.shard
         )
         select instance,
                array(select shard from held where held.instance = me.instance order by shard) as shards,
                (select seq from messaging.outbox
                 where outbox.transport = me.transport order by seq limit 1) is not null as is_waiting,
                (select seq from messaging.refused
                 where refused.transport = me.transport order by seq limit 1) is not null as is_refused
         from me",
    )
    .bind(transports)
    .bind(instances)
    .bind(LEASE.as_secs_f64())
}

/// Whether the server has only ended the statement, which waited too long or in a circle: the connection is as good as
/// before.
pub(super) fn was_ended(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else {
        return false;
    };
    matches!(error.code().as_deref(), Some("57014" | "55P03" | "40P01"))
}

/// Hands back what a relay holds.
pub(super) fn release_query(instance: Uuid) -> Query<'static, Postgres, PgArguments> {
    sqlx::query(
        "with gone as (delete from messaging.relays where instance = $1)
         update messaging.leases set owner = null where owner = $1",
    )
    .bind(instance)
}
