use sqlx::PgPool;
use uuid::Uuid;

use crate::store::letters::alone;

/// So many bytes of bodies are in memory at once, unless one is longer.
const PORTION: i64 = 4 * 1024 * 1024;

/// A letter whose turn it is.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Due {
    /// The letter.
    pub letter_id: Uuid,
    /// Its place in the job.
    pub position: i32,
    /// The doubt of which whoever replays it was told.
    pub doubt: Option<Uuid>,
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

/// What there is to do: whether there may be outcomes to settle, and the jobs that run.
pub async fn replays_at_work(db: &PgPool) -> sqlx::Result<(bool, Vec<Uuid>)> {
    sqlx::query_as(
        "select exists (select from replays r where r.state = 'sent')
                or exists (select from replays r join spans s on s.trace_id = r.trace_id where r.state = 'silent'),
                array(select id from jobs where state = 'running' order by id)",
    )
    .fetch_one(db)
    .await
}

/// Whether this instance has the job to itself for the next seconds: longer than one portion takes.
pub async fn lease_job(db: &PgPool, job: Uuid, instance: &str) -> sqlx::Result<bool> {
    let leased = sqlx::query(
        "update jobs set leased_by = $2, leased_until = clock_timestamp() + interval '10 s'
         where id = $1 and state = 'running'
           and (leased_by = $2 or leased_until is null or leased_until < clock_timestamp())",
    )
    .bind(job)
    .bind(instance)
    .execute(db)
    .await?;
    Ok(leased.rows_affected() > 0)
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Progress {
    /// How many letters may go now, by its rate.
    pub may_go: i64,
    /// How many wait.
    pub waiting: i64,
    /// How many were published and have no outcome yet.
    pub sent: i64,
    /// How many were published a minute ago and more, without news, since somebody let it go on.
    pub silent: i64,
    /// How many were handled.
    pub handled: i64,
    /// How many failed again since somebody let it go on.
    pub failed: i64,
}

/// Where the job stands; nothing if it does not run.
pub async fn progress(db: &PgPool, job: Uuid) -> sqlx::Result<Option<Progress>> {
    sqlx::query_as(
        "select greatest(0, 1 + floor(extract(epoch from least(clock_timestamp() - j.due_at, interval '1 s')) * j.rate))
                    ::bigint as may_go,
                count(*) filter (where r.state = 'waiting') as waiting,
                count(*) filter (where r.state = 'sent') as sent,
                count(*) filter (where r.state = 'silent') - j.overlooked as silent,
                count(*) filter (where r.state = 'handled') as handled,
                count(*) filter (where r.state = 'failed') - j.forgiven as failed
         from jobs j left join replays r on r.job_id = j.id
         where j.id = $1 and j.state = 'running'
         group by j.id",
    )
    .bind(job)
    .fetch_optional(db)
    .await
}

/// The next letters of a job, all for the queue of the first. One waits while an earlier one of its order has no
/// outcome.
pub async fn due(db: &PgPool, job: Uuid, limit: i64) -> sqlx::Result<Vec<Due>> {
    sqlx::query_as(
        "with next as (
             select r.letter_id, r.position, r.revision, r.doubt, l.target, l.written, l.producer, l.size,
                    first_value(l.target) over in_order as first_target, sum(l.size) over in_order as size_so_far
             from replays r join letters l on l.id = r.letter_id
             where r.job_id = $1 and r.state = 'waiting'
               and not exists (select from replays e
                               where e.job_id = $1 and e.order_id = r.order_id and e.position < r.position
                                 and e.state in ('waiting', 'sent'))
             window in_order as (order by r.position)
             order by r.position limit $2
         )
         select n.letter_id, n.position, n.doubt, n.target, b.message_id, b.message_type, n.written, n.producer, b.body
         from next n join letter_revisions b on b.letter_id = n.letter_id and b.number = n.revision
         where n.target = n.first_target and (n.size_so_far <= $3 or n.size_so_far = n.size)
         order by n.position",
    )
    .bind(job)
    .bind(limit)
    .bind(PORTION)
    .fetch_all(db)
    .await
}

/// Marks letters as published, with what their outcome is found by, and moves the job's clock on. What was stopped
/// while it was on its way is published all the same.
pub async fn released(
    pool: &PgPool,
    job: Uuid,
    positions: &[i32],
    traces: &[Vec<u8>],
    spans: &[Vec<u8>],
) -> sqlx::Result<()> {
    let mut tx = alone(pool).await?;
    sqlx::query(
        "with sent as (
             update replays set state = 'sent', sent_at = clock_timestamp(), done_at = null, trace_id = u.trace,
                                span_id = u.span
             from unnest($2::int[], $3::bytea[], $4::bytea[]) as u (position, trace, span)
             where job_id = $1 and replays.position = u.position and replays.state in ('waiting', 'stopped')
             returning letter_id
         ), moved as (
             update letters set state = 'sent'
             where state in ('replaying', 'open') and id in (select letter_id from sent)
         )
         update jobs set due_at = greatest(due_at, clock_timestamp() - interval '1 s')
                                  + make_interval(secs => cardinality($2)::float8 / rate)
         where id = $1",
    )
    .bind(job)
    .bind(positions)
    .bind(traces)
    .bind(spans)
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

/// Halts a job that should not go on, until somebody says so.
pub async fn halt_job(db: &PgPool, job: Uuid, why: &str) -> sqlx::Result<()> {
    sqlx::query("update jobs set state = 'halted', why = $2 where id = $1 and state = 'running'")
        .bind(job)
        .bind(why)
        .execute(db)
        .await?;
    Ok(())
}

/// Ends a job that has nothing left to do.
pub async fn end_job(db: &PgPool, job: Uuid) -> sqlx::Result<()> {
    sqlx::query(
        "update jobs set state = 'done', ended_at = clock_timestamp() where id = $1 and state = 'running'",
    )
    .bind(job)
    .execute(db)
    .await?;
    Ok(())
}
