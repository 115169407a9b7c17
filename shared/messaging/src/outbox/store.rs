use sqlx::postgres::PgArguments;
use sqlx::query::QueryAs;
use sqlx::{PgConnection, PgPool, Postgres};
use uuid::Uuid;

use super::handover::Open;
use super::ledger::Known;
use super::memory;
use super::row::{NewRow, Row};
use super::written::Written;
use crate::faults::crash_point::{self, CrashPoint};
use crate::faults::{Guarantee, without};
use crate::transport::Transport;

/// Writes rows in the order given. A row is handed over to the relay of this process if its shard is open
/// and nothing waits in the table for it; otherwise it waits in the table.
pub(crate) async fn insert(
    db: &mut PgConnection,
    rows: Vec<NewRow>,
    written: &mut Written,
) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = rows.iter().map(|_| Uuid::now_v7()).collect();
    let open = [Transport::RabbitMq, Transport::Kafka].map(|transport| written.open(transport));
    let [term_of_rabbitmq, term_of_kafka] = open.each_ref().map(|open| open.term);
    let places = insert_query(&rows, &ids, open).fetch_all(db).await?;
    let (mut rabbitmq, mut kafka) = (Vec::new(), Vec::new());
    for ((new, id), place) in rows.into_iter().zip(ids).zip(places) {
        let transport = new.address.transport;
        if place.queued {
            written.queued(transport, place.shard);
            continue;
        }
        let row = new.at(place.seq, place.shard, id, place.created_at);
        match transport {
            Transport::RabbitMq => rabbitmq.push(row),
            Transport::Kafka => kafka.push(row),
        }
    }
    written.handed(Transport::RabbitMq, rabbitmq, term_of_rabbitmq);
    written.handed(Transport::Kafka, kafka, term_of_kafka);
    crash_point::reach(CrashPoint::OutboxWritten);
    Ok(())
}

/// `open` says for each broker which shards are open, and what is known to wait in the table.
pub(super) fn insert_query<'q>(
    rows: &'q [NewRow],
    ids: &'q [Uuid],
    open: [Open; 2],
) -> QueryAs<'q, Postgres, Place, PgArguments> {
    let column = |value: fn(&NewRow) -> &str| rows.iter().map(value).collect::<Vec<_>>();
    let [rabbitmq, kafka] = open;
    let holders = [rabbitmq.holder, kafka.holder];
    sqlx::query_as(
        "insert into messaging.outbox
             (message_id, transport, shard, destination, routing_key, message_type, traceparent, body, queued)
         select id, transport, shard, destination, routing_key, type, traceparent, body,
             case when shard = any(case transport when 'rabbitmq' then $9::int2[] else $10::int2[] end)
                      -- Whoever takes the shard from now on waits for the end of this transaction.
                      and exists (select from messaging.leases
                                  where leases.transport = r.transport and leases.shard = r.shard
                                    and leases.owner = any($12))
                 then exists (select from messaging.outbox earlier
                              where earlier.transport = r.transport and earlier.shard = r.shard and earlier.queued
                                and earlier.seq <> all($11))
                 else true
             end
         -- There is a lease for each shard, and their number is a power of two.
         from (select *, (hashtext(ordering_key)
                          & (select count(*)::int - 1 from messaging.leases where transport = 'kafka'))::int2 as shard
             from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[])
                 with ordinality
                 as u (id, transport, ordering_key, destination, routing_key, type, traceparent, body, n)
             ) as r
         order by n
         returning seq, shard, queued, created_at",
    )
    .bind(ids)
    .bind(column(|row| row.address.transport.as_str()))
    .bind(column(|row| &row.ordering_key))
    .bind(column(|row| &row.address.destination))
    .bind(column(|row| &row.address.key))
    .bind(column(|row| row.message_type))
    .bind(rows.iter().map(|row| row.traceparent.as_deref()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.body.as_slice()).collect::<Vec<_>>())
    .bind(rabbitmq.shards)
    .bind(kafka.shards)
    .bind([rabbitmq.known, kafka.known].concat())
    .bind(holders.to_vec())
}

/// Where a new row stands.
#[derive(sqlx::FromRow)]
pub(super) struct Place {
    seq: i64,
    shard: i16,
    queued: bool,
    created_at: jiff_sqlx::Timestamp,
}

/// Which transactions run.
#[derive(sqlx::FromRow)]
pub(super) struct Running {
    /// All before this one have ended.
    pub(super) oldest: i64,
    /// The next one that writes anything.
    pub(super) next: i64,
}

pub(super) async fn running(pool: &PgPool) -> sqlx::Result<Running> {
    let running = sqlx::query_as(
        "select pg_snapshot_xmin(s)::text::int8 as oldest, pg_snapshot_xmax(s)::text::int8 as next
         from pg_current_snapshot() s",
    );
    running.fetch_one(pool).await
}

/// Forgets rows that a broker has confirmed, and returns the oldest of the other rows of these
/// shards that are not known, and what is there of those that are doubtful: one round trip for all. It passes by what is
/// for one of the `closed` addresses. The limit is on those that are not known.
///
/// It does not wait until the disk has it. If the database forgets what was forgotten here, rows
/// come back and are published twice, which every consumer bears.
pub(crate) async fn forget_and_take(
    pool: &PgPool,
    transport: Transport,
    known: &Known,
    shards: &[i16],
    closed: &[String],
    limit: usize,
) -> sqlx::Result<Vec<Row>> {
    if without(Guarantee::Outbox) {
        return Ok(memory::forget_and_take(transport, known, limit));
    }
    let forget_and_take = forget_and_take_query(transport, known, shards, closed, limit);
    forget_and_take.fetch_all(pool).await
}

pub(super) fn forget_and_take_query<'q>(
    transport: Transport,
    known: &'q Known,
    shards: &'q [i16],
    closed: &'q [String],
    limit: usize,
) -> QueryAs<'q, Postgres, Row, PgArguments> {
    sqlx::query_as(
        "with forgotten as (
             delete from messaging.outbox
             where transport = $1 and seq = any($2) and set_config('synchronous_commit', 'off', true) = 'off'
         )
         (select seq, shard, message_id, destination, routing_key, message_type, traceparent, body,
                 created_at, attempts
          from messaging.outbox
          where transport = $1 and shard = any($3)
            and seq not in (select unnest($2) union all select unnest($5) union all select unnest($7))
            and case $1 when 'rabbitmq' then destination || ':' || routing_key else destination end <> all($6)
          order by seq
          limit $4)
         union all
         select seq, shard, message_id, destination, routing_key, message_type, traceparent, body,
                created_at, attempts
         from messaging.outbox
         where transport = $1 and seq = any($7)",
    )
    .bind(transport.as_str())
    .bind(&known.confirmed)
    .bind(shards)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .bind(&known.others)
    .bind(closed)
    .bind(&known.doubtful)
}

#[cfg(test)]
mod tests;
