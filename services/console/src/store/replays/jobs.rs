use sqlx::PgPool;
use uuid::Uuid;

use crate::store::letters::alone;

/// Letters that are replayed together, and how far that has come.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Job {
    /// Its id.
    pub id: Uuid,
    /// `running`, `paused`, `halted`, `stopped` or `done`.
    pub state: String,
    /// Why it has halted by itself.
    pub why: Option<String>,
    /// How many letters a second.
    pub rate: i32,
    /// Who wants it.
    pub by: String,
    /// Since when.
    pub at: jiff_sqlx::Timestamp,
    /// When it ended.
    pub ended_at: Option<jiff_sqlx::Timestamp>,
    /// How many letters it has.
    pub total: i64,
    /// Not yet published.
    pub waiting: i64,
    /// Published, and the outcome is not known yet.
    pub sent: i64,
    /// Handled.
    pub handled: i64,
    /// Of those handled: recognised, because they had been handled before.
    pub duplicates: i64,
    /// Failed again.
    pub failed: i64,
    /// Published a minute ago and more, and no news since.
    pub silent: i64,
    /// Not published, because the job was stopped.
    pub stopped: i64,
}

/// A letter of a job.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct JobLetter {
    /// The letter.
    pub letter_id: Uuid,
    /// `waiting`, `sent`, `silent`, `handled`, `failed` or `stopped`.
    pub state: String,
    /// Why it failed again.
    pub error: Option<String>,
    /// It had been handled before, so that this replay had no effect.
    pub duplicate: bool,
    /// Who has handled it.
    pub instance: Option<String>,
    /// In how long, in microseconds.
    pub duration_us: Option<i64>,
}

macro_rules! jobs {
    ($rest:literal) => {
        concat!(
            "select j.id, j.state, j.why, j.rate, j.by, j.at, j.ended_at, count(r.job_id) as total,
                count(*) filter (where r.state = 'waiting') as waiting,
                count(*) filter (where r.state = 'sent') as sent,
                count(*) filter (where r.state = 'handled') as handled,
                count(*) filter (where r.duplicate) as duplicates,
                count(*) filter (where r.state = 'failed') as failed,
                count(*) filter (where r.state = 'silent') as silent,
                count(*) filter (where r.state = 'stopped') as stopped
             from jobs j left join replays r on r.job_id = j.id ",
            $rest
        )
    };
}

/// The newest 20 jobs.
pub async fn jobs(db: &PgPool) -> sqlx::Result<Vec<Job>> {
    const SQL: &str = jobs!(
        "where j.id in (select id from jobs order by id desc limit 20) group by j.id order by j.id desc"
    );
    sqlx::query_as(SQL).fetch_all(db).await
}

/// The jobs that have not ended.
pub async fn active_jobs(db: &PgPool) -> sqlx::Result<Vec<Job>> {
    const SQL: &str = jobs!(
        "where j.state in ('running', 'paused', 'halted') group by j.id order by j.id desc limit 20"
    );
    sqlx::query_as(SQL).fetch_all(db).await
}

/// One job.
pub async fn job(db: &PgPool, id: Uuid) -> sqlx::Result<Option<Job>> {
    const SQL: &str = jobs!("where j.id = $1 group by j.id");
    sqlx::query_as(SQL).bind(id).fetch_optional(db).await
}

/// A hundred letters of a job, those that failed again first.
pub async fn job_letters(db: &PgPool, id: Uuid) -> sqlx::Result<Vec<JobLetter>> {
    sqlx::query_as(
        "select letter_id, state, error, duplicate, instance, duration_us from replays
         where job_id = $1 order by state <> 'failed', position limit 100",
    )
    .bind(id)
    .fetch_all(db)
    .await
}

/// Changes the rate or the state of a job that has not ended. Whether there was one.
///
/// What a stopped job has not published is open again.
pub async fn change_job(
    pool: &PgPool,
    id: Uuid,
    by: &str,
    rate: Option<i32>,
    state: Option<&str>,
) -> sqlx::Result<bool> {
    let mut tx = alone(pool).await?;
    let changed = sqlx::query(
        "update jobs set rate = coalesce($2, rate), state = coalesce($3, state), due_at = clock_timestamp(),
                why = case when $3 = 'running' then null else why end,
                forgiven = case when $3 = 'running'
                                then (select count(*) from replays where job_id = $1 and replays.state = 'failed')
                                else forgiven end,
                overlooked = case when $3 = 'running'
                                  then (select count(*) from replays where job_id = $1 and replays.state = 'silent')
                                  else overlooked end,
                ended_at = case when $3 = 'stopped' then clock_timestamp() end
         where id = $1 and state in ('running', 'paused', 'halted')",
    )
    .bind(id)
    .bind(rate)
    .bind(state)
    .execute(&mut *tx)
    .await?;
    if state == Some("stopped") && changed.rows_affected() > 0 {
        sqlx::query(
            "with stopped as (
                 update replays set state = 'stopped', done_at = clock_timestamp()
                 where job_id = $1 and state = 'waiting' returning letter_id
             ), opened as (
                 update letters set state = 'open'
                 where state = 'replaying' and id in (select letter_id from stopped)
             )
             insert into letter_history (letter_id, at, who, what)
             select letter_id, clock_timestamp(), $2, 'stopped' from stopped",
        )
        .bind(id)
        .bind(by)
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await?;
    Ok(changed.rows_affected() > 0)
}
