use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgPool, Row};

use super::column;

/// What has to be known of a queue in order to go on counting its messages.
#[derive(Debug, Clone)]
#[expect(
    missing_docs,
    reason = "as in `domain::Saved`, by the clock on the wall"
)]
pub struct FlowRow {
    pub queue: String,
    pub departed: u64,
    pub acknowledged: u64,
    pub unwatched: u64,
    pub watched_since: Timestamp,
    pub seen_at: Timestamp,
    pub arrivals: Vec<ArrivalRow>,
}

/// Messages that arrived between two observations.
#[derive(Debug, Clone)]
#[expect(
    missing_docs,
    reason = "as in `domain::Arrival`, by the clock on the wall"
)]
pub struct ArrivalRow {
    pub before: u64,
    pub arrived: u64,
    pub began_at: Timestamp,
    pub ended_at: Timestamp,
    pub at_least: bool,
}

/// Everything that was stored.
pub async fn flows(db: &PgPool) -> sqlx::Result<Vec<FlowRow>> {
    let mut flows = Vec::new();
    for row in sqlx::query("select * from queue_flows")
        .fetch_all(db)
        .await?
    {
        let queue: String = row.try_get("queue")?;
        let arrivals =
            sqlx::query("select * from queue_arrivals where queue = $1 order by arrived")
                .bind(&queue)
                .try_map(|row| {
                    Ok(ArrivalRow {
                        before: number(&row, "before")?,
                        arrived: number(&row, "arrived")?,
                        began_at: time(&row, "began_at")?,
                        ended_at: time(&row, "ended_at")?,
                        at_least: row.try_get("at_least")?,
                    })
                })
                .fetch_all(db)
                .await?;
        flows.push(FlowRow {
            queue,
            departed: number(&row, "departed")?,
            acknowledged: number(&row, "acknowledged")?,
            unwatched: number(&row, "unwatched")?,
            watched_since: time(&row, "watched_since")?,
            seen_at: time(&row, "seen_at")?,
            arrivals,
        });
    }
    Ok(flows)
}

/// Stores what is known now, in place of what was. Of several instances each may do it: they see the same.
pub async fn save_flows(db: &PgPool, flows: &[FlowRow]) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    sqlx::query(
        "insert into queue_flows (queue, departed, acknowledged, unwatched, watched_since, seen_at)
         select * from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::timestamptz[],
                              $6::timestamptz[])
         order by 1
         on conflict (queue) do update set
             departed = excluded.departed, acknowledged = excluded.acknowledged, unwatched = excluded.unwatched,
             watched_since = excluded.watched_since, seen_at = excluded.seen_at",
    )
    .bind(column(flows, |flow| flow.queue.as_str()))
    .bind(column(flows, |flow| signed(flow.departed)))
    .bind(column(flows, |flow| signed(flow.acknowledged)))
    .bind(column(flows, |flow| signed(flow.unwatched)))
    .bind(column(flows, |flow| flow.watched_since.to_sqlx()))
    .bind(column(flows, |flow| flow.seen_at.to_sqlx()))
    .execute(&mut *tx)
    .await?;
    for flow in flows {
        save_arrivals(&mut tx, flow).await?;
    }
    tx.commit().await
}

/// Only what is new is written: what was stored of an arrival does not change. What was stored with higher numbers
/// is of a queue of the same name that is gone.
async fn save_arrivals(db: &mut sqlx::PgConnection, flow: &FlowRow) -> sqlx::Result<()> {
    let arrivals = &flow.arrivals;
    let newest = arrivals.last().map_or(flow.departed, |last| last.arrived);
    sqlx::query(
        "with stored as (select max(arrived) as last from queue_arrivals where queue = $1 and arrived <= $7),
              forgotten as (delete from queue_arrivals where queue = $1 and (arrived <= $6 or arrived > $7))
         insert into queue_arrivals (queue, before, arrived, began_at, ended_at, at_least)
         select $1, new.* from unnest($2::bigint[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $8::boolean[])
             as new (before, arrived, began_at, ended_at, at_least), stored
         where new.arrived > coalesce(stored.last, -1)
         on conflict do nothing",
    )
    .bind(&flow.queue)
    .bind(column(arrivals, |arrival| signed(arrival.before)))
    .bind(column(arrivals, |arrival| signed(arrival.arrived)))
    .bind(column(arrivals, |arrival| arrival.began_at.to_sqlx()))
    .bind(column(arrivals, |arrival| arrival.ended_at.to_sqlx()))
    .bind(signed(flow.departed))
    .bind(signed(newest))
    .bind(column(arrivals, |arrival| arrival.at_least))
    .execute(db)
    .await?;
    Ok(())
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn number(row: &sqlx::postgres::PgRow, column: &str) -> sqlx::Result<u64> {
    let number: i64 = row.try_get(column)?;
    Ok(u64::try_from(number).unwrap_or_default())
}

fn time(row: &sqlx::postgres::PgRow, column: &str) -> sqlx::Result<Timestamp> {
    let time: jiff_sqlx::Timestamp = row.try_get(column)?;
    Ok(time.to_jiff())
}
