use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::store;

/// What the dead-letter office has to do.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = LettersInShort)]
pub struct Letters {
    /// So many letters are open.
    pub open: i64,
    /// And more.
    pub more: bool,
    /// The jobs that have not ended.
    pub jobs: Vec<JobView>,
    #[serde(skip)]
    pub(super) changes: i64,
}

/// Letters that are replayed together.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Job)]
pub struct JobView {
    id: Uuid,
    /// `running`, `paused`, `halted` (by itself), `stopped` or `done`.
    state: String,
    /// Why it has halted.
    why: Option<String>,
    /// How many letters a second.
    rate: i32,
    by: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    total: i64,
    /// Not yet published.
    waiting: i64,
    /// Published, and the outcome is not known yet.
    sent: i64,
    handled: i64,
    /// Of those handled: recognised by a consumer that had handled them before, so that the replay had no effect.
    duplicates: i64,
    /// Failed again: these letters are open.
    failed: i64,
    /// Published, and no news for 60 s.
    silent: i64,
    /// Not published, because the job was stopped: these letters are open.
    stopped: i64,
}

impl From<store::Job> for JobView {
    fn from(job: store::Job) -> Self {
        Self {
            id: job.id,
            state: job.state,
            why: job.why,
            rate: job.rate,
            by: job.by,
            at: job.at.to_jiff(),
            ended_at: job.ended_at.map(|at| at.to_jiff()),
            total: job.total,
            waiting: job.waiting,
            sent: job.sent,
            handled: job.handled,
            duplicates: job.duplicates,
            failed: job.failed,
            silent: job.silent,
            stopped: job.stopped,
        }
    }
}
