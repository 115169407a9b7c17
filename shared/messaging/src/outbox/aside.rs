use sqlx::postgres::PgArguments;
use sqlx::query::{Query, QueryAs, QueryScalar};
use sqlx::{PgPool, Postgres};

use super::row::Row;
use crate::faults::{Guarantee, without};
use crate::transport::Transport;

/// Moves rows of the outbox to those that were refused, after so many more attempts.
pub(super) async fn put(
    pool: &PgPool,
    transport: Transport,
    seqs: &[i64],
    attempts: i32,
) -> sqlx::Result<()> {
    if without(Guarantee::Outbox) {
        return Ok(());
    }
    put_query(transport, seqs, attempts).execute(pool).await?;
    Ok(())
}

pub(super) fn put_query(
    transport: Transport,
    seqs: &[i64],
    attempts: i32,
) -> Query<'static, Postgres, PgArguments> {
    sqlx::query(
        "with gone as (
             delete from messaging.outbox where transport = $1 and seq = any($2)
             returning transport, seq, attempts, message_id, shard, destination, routing_key, message_type, traceparent,
                       body, created_at
         )
         insert into messaging.refused
             (transport, seq, address, attempts, message_id, shard, destination, routing_key, message_type, traceparent,
              body, created_at)
         select transport, seq,
                case transport when 'rabbitmq' then destination || ':' || routing_key else destination end,
                attempts + $3, message_id, shard, destination, routing_key, message_type, traceparent, body, created_at
         from gone",
    )
    .bind(transport.as_str())
    .bind(seqs)
    .bind(attempts)
}

/// Those of the first so many rows of these shards that are for one of these addresses and not known.
pub(super) async fn at_the_head(
    pool: &PgPool,
    transport: Transport,
    shards: &[i16],
    addresses: &[String],
    known: &[i64],
    limit: i64,
) -> sqlx::Result<Vec<i64>> {
    let query = at_the_head_query(transport, shards, addresses, known, limit);
    query.fetch_all(pool).await
}

pub(super) fn at_the_head_query<'q>(
    transport: Transport,
    shards: &'q [i16],
    addresses: &'q [String],
    known: &'q [i64],
    limit: i64,
) -> QueryScalar<'q, Postgres, i64, PgArguments> {
    sqlx::query_scalar(
        "select seq
         from (select seq, destination, routing_key from messaging.outbox
               where transport = $1 and shard = any($2) and seq not in (select unnest($4))
               order by seq
               limit $5) head
         where case $1 when 'rabbitmq' then destination || ':' || routing_key else destination end = any($3)",
    )
    .bind(transport.as_str())
    .bind(shards)
    .bind(addresses)
    .bind(known)
    .bind(limit)
}

/// The next so many addresses, after this one, for which something was refused. It costs a descent into the index
/// for each of them, however many rows there are.
pub(super) async fn addresses(
    pool: &PgPool,
    transport: Transport,
    after: &str,
    limit: i64,
) -> sqlx::Result<Vec<String>> {
    let query = addresses_query(transport, after, limit);
    query.fetch_all(pool).await
}

pub(super) fn addresses_query(
    transport: Transport,
    after: &str,
    limit: i64,
) -> QueryScalar<'_, Postgres, String, PgArguments> {
    sqlx::query_scalar(
        "with recursive found as (
             (select address from messaging.refused where transport = $1 and address > $2 order by address limit 1)
             union all
             select (select later.address from messaging.refused later
                     where later.transport = $1 and later.address > found.address
                     order by later.address
                     limit 1)
             from found
             where found.address is not null
         )
         select address from found where address is not null limit $3",
    )
    .bind(transport.as_str())
    .bind(after)
    .bind(limit)
}

/// Rows that were refused, of each of these addresses so many. Those come first that were tried least often, so that
/// no message stands in the way of others that the broker would take.
pub(super) async fn sample(
    pool: &PgPool,
    transport: Transport,
    addresses: &[String],
    portions: &[i64],
    limit: i64,
) -> sqlx::Result<Vec<Row>> {
    let query = sample_query(transport, addresses, portions, limit);
    query.fetch_all(pool).await
}

pub(super) fn sample_query<'q>(
    transport: Transport,
    addresses: &'q [String],
    portions: &'q [i64],
    limit: i64,
) -> QueryAs<'q, Postgres, Row, PgArguments> {
    sqlx::query_as(
        "select one.seq, one.shard, one.message_id, one.destination, one.routing_key, one.message_type,
                one.traceparent, one.body, one.created_at, one.attempts
         from unnest($2::text[], $3::int8[]) as due (address, portion)
         cross join lateral (
             select * from messaging.refused
             where refused.transport = $1 and refused.address = due.address
             order by attempts, seq
             limit due.portion
         ) one
         limit $4",
    )
    .bind(transport.as_str())
    .bind(addresses)
    .bind(portions)
    .bind(limit)
}

/// Forgets rows that the broker has taken after all, and counts another attempt for those that it has refused again.
pub(super) async fn tried(
    pool: &PgPool,
    transport: Transport,
    confirmed: &[i64],
    refused: &[i64],
) -> sqlx::Result<()> {
    tried_query(transport, confirmed, refused)
        .execute(pool)
        .await?;
    Ok(())
}

pub(super) fn tried_query(
    transport: Transport,
    confirmed: &[i64],
    refused: &[i64],
) -> Query<'static, Postgres, PgArguments> {
    sqlx::query(
        "with taken as (delete from messaging.refused where transport = $1 and seq = any($2))
         update messaging.refused set attempts = attempts + 1 where transport = $1 and seq = any($3)",
    )
    .bind(transport.as_str())
    .bind(confirmed)
    .bind(refused)
}
