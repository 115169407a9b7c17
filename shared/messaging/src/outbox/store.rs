use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::faults::crash_point::{self, CrashPoint};
use crate::faults::{self, Guarantee};
use crate::outbox::memory;

/// Which broker a row is for. The two are relayed apart, so that one that is away does not hold
/// up the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    RabbitMq,
    Kafka,
}

impl Transport {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::RabbitMq => "rabbitmq",
            Self::Kafka => "kafka",
        }
    }
}

/// A message to be written.
pub(crate) struct NewRow {
    pub(crate) transport: Transport,
    pub(crate) destination: &'static str,
    pub(crate) routing_key: String,
    pub(crate) ordering_key: String,
    pub(crate) message_type: &'static str,
    pub(crate) traceparent: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// A message to be published.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) seq: i64,
    pub(crate) message_id: Uuid,
    pub(crate) destination: String,
    pub(crate) routing_key: String,
    pub(crate) message_type: String,
    pub(crate) traceparent: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) created_at: jiff_sqlx::Timestamp,
    pub(crate) attempts: i32,
}

impl Row {
    /// What the OpenTelemetry conventions call the destination: `{exchange}:{routing key}`, the queue that
    /// the default exchange routes to, or the topic.
    pub(crate) fn destination_name(&self, transport: Transport) -> String {
        match (transport, self.destination.as_str()) {
            (Transport::RabbitMq, "") => self.routing_key.clone(),
            (Transport::RabbitMq, exchange) => format!("{exchange}:{}", self.routing_key),
            (Transport::Kafka, topic) => topic.to_owned(),
        }
    }
}

/// Writes rows in the order given. The number of shards is that of the leases in the migration.
pub(crate) async fn insert(db: &mut PgConnection, rows: &[NewRow]) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = rows.iter().map(|_| Uuid::now_v7()).collect();
    let column = |value: fn(&NewRow) -> &str| rows.iter().map(value).collect::<Vec<_>>();
    sqlx::query(
        "insert into messaging.outbox
             (message_id, transport, shard, destination, routing_key, message_type, traceparent, body)
         select id, transport, hashtext(ordering_key) & 7, destination, routing_key, type, traceparent, body
         from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[])
             with ordinality
             as r (id, transport, ordering_key, destination, routing_key, type, traceparent, body, n)
         order by n",
    )
    .bind(&ids)
    .bind(column(|row| row.transport.as_str()))
    .bind(column(|row| &row.ordering_key))
    .bind(column(|row| row.destination))
    .bind(column(|row| &row.routing_key))
    .bind(column(|row| row.message_type))
    .bind(rows.iter().map(|row| row.traceparent.as_deref()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.body.as_slice()).collect::<Vec<_>>())
    .execute(db)
    .await?;
    crash_point::reach(CrashPoint::OutboxWritten);
    Ok(())
}

/// Forgets rows that a broker has confirmed, and returns the oldest of the other rows of these
/// shards that are due: one round trip for both.
///
/// It does not wait until the disk has it. If the database forgets what was forgotten here, rows
/// come back and are published twice, which every consumer bears.
pub(crate) async fn advance(
    pool: &PgPool,
    transport: Transport,
    confirmed: &[i64],
    shards: &[i16],
    limit: i64,
) -> sqlx::Result<Vec<Row>> {
    if faults::without(Guarantee::Outbox) {
        return Ok(memory::advance(transport, confirmed, limit));
    }
    sqlx::query_as(
        "with forgotten as (
             delete from messaging.outbox
             where transport = $1 and seq = any($2) and set_config('synchronous_commit', 'off', true) = 'off'
         )
         select seq, message_id, destination, routing_key, message_type, traceparent, body,
                created_at, attempts
         from messaging.outbox
         where transport = $1 and shard = any($3) and available_at <= clock_timestamp()
           and seq not in (select unnest($2))
         order by seq
         limit $4",
    )
    .bind(transport.as_str())
    .bind(confirmed)
    .bind(shards)
    .bind(limit)
    .fetch_all(pool)
    .await
}

/// Puts rows aside that a broker has refused, for 1, 2, 4 and then 5 seconds. Not longer, because a queue
/// that was full may have room again.
pub(crate) async fn defer(
    pool: &PgPool,
    transport: Transport,
    refused: &[i64],
) -> sqlx::Result<()> {
    sqlx::query(
        "update messaging.outbox
         set attempts = attempts + 1,
             available_at = clock_timestamp() + least(power(2, least(attempts, 3)), 5) * interval '1 second'
         where transport = $1 and seq = any($2)",
    )
    .bind(transport.as_str())
    .bind(refused)
    .execute(pool)
    .await?;
    Ok(())
}

/// Limits a call of the database. The server ends statements by itself; this is for a server that
/// is stopped or cut off, where the client library would wait for ever.
pub(crate) async fn in_time<T>(call: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    const LIMIT: Duration = Duration::from_secs(5);
    match tokio::time::timeout(LIMIT, call).await {
        Ok(result) => result,
        Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
    }
}

/// How many messages wait, and for how long the oldest has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Backlog {
    pub(crate) rows: i64,
    pub(crate) oldest: Duration,
}

/// Measures what waits for one broker. Counting stops at so many rows.
pub(crate) async fn backlog(
    pool: &PgPool,
    transport: Transport,
    countable: i64,
) -> sqlx::Result<Backlog> {
    let (rows, oldest): (i64, Option<jiff_sqlx::Timestamp>) = sqlx::query_as(
        "select (select count(*) from (select from messaging.outbox where transport = $1 limit $2) counted),
                (select created_at from messaging.outbox where transport = $1 order by seq limit 1)",
    )
    .bind(transport.as_str())
    .bind(countable)
    .fetch_one(pool)
    .await?;
    let now = jiff::Timestamp::now();
    let oldest = oldest.map_or(now, |oldest| oldest.to_jiff());
    Ok(Backlog {
        rows,
        oldest: now.duration_since(oldest).try_into().unwrap_or_default(),
    })
}

/// Tells the relays of this process that there is something to publish.
#[derive(Default)]
pub(crate) struct Wake {
    rabbitmq: Notify,
    kafka: Notify,
}

impl Wake {
    pub(crate) fn of(&self, transport: Transport) -> &Notify {
        match transport {
            Transport::RabbitMq => &self.rabbitmq,
            Transport::Kafka => &self.kafka,
        }
    }

    pub(crate) fn after_writing(&self, rows: &[NewRow]) {
        for transport in [Transport::RabbitMq, Transport::Kafka] {
            if rows.iter().any(|row| row.transport == transport) {
                self.of(transport).notify_one();
            }
        }
    }
}
