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
///
/// Of arrivals only what is new is written: what was stored of one does not change. What was stored with higher numbers
/// is of a queue of the same name that is gone.
pub async fn save_flows(db: &PgPool, flows: &[FlowRow]) -> sqlx::Result<()> {
    let newest = |flow: &FlowRow| {
        let newest = flow.arrivals.last().map(|last| last.arrived);
        signed(newest.unwrap_or(flow.departed))
    };
    let arrivals = flows.iter().flat_map(|flow| {
        let arrivals = flow.arrivals.iter();
        arrivals.map(move |arrival| (flow.queue.as_str(), arrival))
    });
    let arrivals: Vec<_> = arrivals.collect();
    sqlx::query(
        "with flow as (
             select * from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::timestamptz[],
                                  $6::timestamptz[], $7::bigint[])
                 as one (queue, departed, acknowledged, unwatched, watched_since, seen_at, newest)
         ), known as (
             insert into queue_flows (queue, departed, acknowledged, unwatched, watched_since, seen_at)
             select queue, departed, acknowledged, unwatched, watched_since, seen_at from flow order by queue
             on conflict (queue) do update set
                 departed = excluded.departed, acknowledged = excluded.acknowledged, unwatched = excluded.unwatched,
                 watched_since = excluded.watched_since, seen_at = excluded.seen_at
         ), stored as (
             select flow.queue, max(old.arrived) as last
             from flow join queue_arrivals old on old.queue = flow.queue and old.arrived <= flow.newest
             group by flow.queue
         ), forgotten as (
             delete from queue_arrivals old using flow
             where old.queue = flow.queue and (old.arrived <= flow.departed or old.arrived > flow.newest)
         )
         insert into queue_arrivals (queue, before, arrived, began_at, ended_at, at_least)
         select new.* from unnest($8::text[], $9::bigint[], $10::bigint[], $11::timestamptz[], $12::timestamptz[],
                                  $13::boolean[])
             as new (queue, before, arrived, began_at, ended_at, at_least)
         left join stored on stored.queue = new.queue
         where new.arrived > coalesce(stored.last, -1)
         on conflict do nothing",
    )
    .bind(column(flows, |flow| flow.queue.as_str()))
    .bind(column(flows, |flow| signed(flow.departed)))
    .bind(column(flows, |flow| signed(flow.acknowledged)))
    .bind(column(flows, |flow| signed(flow.unwatched)))
    .bind(column(flows, |flow| flow.watched_since.to_sqlx()))
    .bind(column(flows, |flow| flow.seen_at.to_sqlx()))
    .bind(column(flows, newest))
    .bind(column(&arrivals, |(queue, _)| *queue))
    .bind(column(&arrivals, |(_, arrival)| signed(arrival.before)))
    .bind(column(&arrivals, |(_, arrival)| signed(arrival.arrived)))
    .bind(column(&arrivals, |(_, arrival)| arrival.began_at.to_sqlx()))
    .bind(column(&arrivals, |(_, arrival)| arrival.ended_at.to_sqlx()))
    .bind(column(&arrivals, |(_, arrival)| arrival.at_least))
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
