use std::time::Duration;

use sqlx::postgres::PgArguments;
use sqlx::query::QueryAs;
use sqlx::{PgPool, Postgres};

use crate::transport::Transport;

/// How many messages wait, and for how long the oldest has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Backlog {
    pub(crate) rows: i64,
    pub(crate) oldest: Duration,
}

/// Which tables of migrations there are, of this crate and of the service: they are created once in the
/// life of a database.
pub(crate) type Tables = [Option<i64>; 2];

/// The tables, as the measurement finds them beside what waits.
type Measured = (Option<i64>, Option<i64>, i64, Option<jiff_sqlx::Timestamp>);

/// Measures what waits for each broker, also what was refused, and says in which tables. Counting stops at so many
/// rows of each kind.
pub(crate) async fn backlogs(
    pool: &PgPool,
    countable: i64,
) -> sqlx::Result<(Tables, Vec<Backlog>)> {
    let measured = backlogs_query(countable).fetch_all(pool).await?;
    let (mut tables, now) = (Tables::default(), jiff::Timestamp::now());
    let backlogs = measured
        .into_iter()
        .map(|(messaging, service, rows, oldest)| {
            tables = [messaging, service];
            let oldest = oldest.map_or(now, |oldest| oldest.to_jiff());
            Backlog {
                rows,
                oldest: now.duration_since(oldest).try_into().unwrap_or_default(),
            }
        });
    let backlogs = backlogs.collect();
    Ok((tables, backlogs))
}

/// One row for each broker, in the order of [`Transport::ALL`].
pub(super) fn backlogs_query(countable: i64) -> QueryAs<'static, Postgres, Measured, PgArguments> {
    let transports = Transport::ALL.map(Transport::as_str);
    sqlx::query_as(
        "select to_regclass('messaging._migrations')::oid::bigint, to_regclass('_sqlx_migrations')::oid::bigint,
                (select count(*) from (select from messaging.outbox
                                       where outbox.transport = broker.transport limit $2) counted)
                + (select count(*) from (select from messaging.refused
                                         where refused.transport = broker.transport limit $2) counted),
                least((select created_at from messaging.outbox
                       where outbox.transport = broker.transport order by seq limit 1),
                      (select created_at from messaging.refused
                       where refused.transport = broker.transport order by seq limit 1))
         from unnest($1::text[]) with ordinality as broker (transport, n)
         order by n",
    )
    .bind(transports.to_vec())
    .bind(countable)
}

/// The tables alone, for when nothing can be measured.
pub(crate) async fn which_tables(pool: &PgPool) -> sqlx::Result<Tables> {
    let (messaging, service) = sqlx::query_as(
        "select to_regclass('messaging._migrations')::oid::bigint, to_regclass('_sqlx_migrations')::oid::bigint",
    )
    .fetch_one(pool)
    .await?;
    Ok([messaging, service])
}
