use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// A letter whose turn it is.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Due {
    /// The letter.
    pub letter_id: Uuid,
    /// Its place in the job.
    pub position: i32,
    /// The queue that it goes to.
    pub target: String,
    /// The id of the message.
    pub message_id: String,
    /// Its type.
    pub message_type: String,
    /// When it was written.
    pub written: Option<String>,
    /// By whom.
    pub producer: Option<String>,
    /// Its body.
    pub body: Vec<u8>,
}

/// The jobs that have something to do.
pub async fn running_jobs(db: &PgPool) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar("select id from jobs where state = 'running' order by id")
        .fetch_all(db)
        .await
}

/// Whether this transaction has the job to itself, among all instances, until it ends.
pub async fn try_lock(db: &mut PgConnection, job: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar("select pg_try_advisory_xact_lock(hashtextextended($1::text, 0))")
        .bind(job.to_string())
        .fetch_one(db)
        .await
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Progress {
    /// How many letters may go now, by its rate.
    pub may_go: i64,
    /// How many wait.
    pub waiting: i64,
    /// How many were published and may still have an outcome.
    pub open: i64,
    /// How many have an outcome, or are not expected to have one any more.
    pub known: i64,
    /// How many failed again since somebody let it go on.
    pub failed: i64,
}

/// Where the job stands; nothing if it does not run.
pub async fn progress(db: &mut PgConnection, job: Uuid) -> sqlx::Result<Option<Progress>> {
    sqlx::query_as(
        "select greatest(0, 1 + floor(extract(epoch from clock_timestamp() - j.due_at) * j.rate))::bigint as may_go,
                count(*) filter (where r.state = 'waiting') as waiting,
                count(*) filter (where r.state = 'sent' and r.sent_at >= clock_timestamp() - interval '60 s') as open,
                count(*) filter (where r.state in ('handled', 'failed')
                                 or r.state = 'sent' and r.sent_at < clock_timestamp() - interval '60 s') as known,
                count(*) filter (where r.state = 'failed') - j.forgiven as failed
         from jobs j left join replays r on r.job_id = j.id
         where j.id = $1 and j.state = 'running'
         group by j.id",
    )
    .bind(job)
    .fetch_optional(db)
    .await
}

/// The next letters of a job. One waits while an earlier one of its order has no outcome.
pub async fn due(db: &mut PgConnection, job: Uuid, limit: i64) -> sqlx::Result<Vec<Due>> {
    sqlx::query_as(
        "select r.letter_id, r.position, l.target, b.message_id, b.message_type, l.written, l.producer, b.body
         from replays r
         join letters l on l.id = r.letter_id
         join letter_revisions b on b.letter_id = r.letter_id and b.number = r.revision
         where r.job_id = $1 and r.state = 'waiting'
           and not exists (select from replays e
                           where e.job_id = $1 and e.order_id = r.order_id and e.position < r.position
                             and (e.state = 'waiting'
                                  or e.state = 'sent' and e.sent_at >= clock_timestamp() - interval '60 s'))
         order by r.position limit $2
         for update of r",
    )
    .bind(job)
    .bind(limit)
    .fetch_all(db)
    .await
}

/// Marks letters as published, with what their outcome is found by, and moves the job's clock on.
pub async fn released(
    db: &mut PgConnection,
    job: Uuid,
    positions: &[i32],
    traces: &[Vec<u8>],
    spans: &[Vec<u8>],
) -> sqlx::Result<()> {
    sqlx::query(
        "with sent as (
             update replays set state = 'sent', sent_at = clock_timestamp(), trace_id = u.trace, span_id = u.span
             from unnest($2::int[], $3::bytea[], $4::bytea[]) as u (position, trace, span)
             where job_id = $1 and replays.position = u.position
             returning letter_id
         ), moved as (
             update letters set state = 'sent' where id in (select letter_id from sent)
         )
         update jobs set due_at = greatest(due_at, clock_timestamp() - interval '1 s')
                                  + make_interval(secs => cardinality($2)::float8 / rate)
         where id = $1",
    )
    .bind(job)
    .bind(positions)
    .bind(traces)
    .bind(spans)
    .execute(db)
    .await?;
    Ok(())
}

/// Halts a job that should not go on, until somebody says so.
pub async fn halt_job(db: &mut PgConnection, job: Uuid, why: &str) -> sqlx::Result<()> {
    sqlx::query("update jobs set state = 'halted', why = $2 where id = $1 and state = 'running'")
        .bind(job)
        .bind(why)
        .execute(db)
        .await?;
    Ok(())
}

/// Ends a job that has nothing left to do.
pub async fn end_job(db: &mut PgConnection, job: Uuid) -> sqlx::Result<()> {
    sqlx::query(
        "update jobs set state = 'done', ended_at = clock_timestamp() where id = $1 and state = 'running'",
    )
    .bind(job)
    .execute(db)
    .await?;
    Ok(())
}
