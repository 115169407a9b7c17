use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::office::types_of;
use crate::store;

/// A message that could not be handled.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Letter {
    id: Uuid,
    /// `open`, `replaying` (a job will send it), `sent` (its outcome is not known yet), `handled` or `discarded`.
    state: String,
    /// The service that could not handle it.
    service: Option<String>,
    /// Its handler.
    handler: Option<String>,
    /// The queue in which it failed, or the consumer group; `?` when that is not told.
    consumer: String,
    /// Where the message was: `kind` is `queue`, `topic`, `broker` or `unknown`.
    source: Value,
    /// The queue to which a replay goes: only to the consumer that failed.
    target: Option<String>,
    /// Why it failed the last time.
    reason: String,
    /// The reason with numbers and ids as `#`.
    pattern: String,
    message_id: Option<String>,
    message_type: Option<String>,
    /// The order that it is about.
    order_id: Option<Uuid>,
    /// Which version of that order.
    version: Option<i32>,
    /// How many attempts have failed, of all failures.
    attempts: i64,
    /// How often it became a dead letter.
    failures: i32,
    #[schema(value_type = String, format = DateTime)]
    first_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
    /// Length of the body, in bytes.
    size: i64,
    /// Headers or body are not complete.
    cut: bool,
    /// What it says is out of date.
    overtaken: bool,
    /// 0 as it came; otherwise the number of its newest edit, which a replay sends.
    revision: i32,
    /// Its last replay.
    replay: Option<Replay>,
    discarded: Option<Discarded>,
}

/// How a replay went.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LetterReplay)]
struct Replay {
    job: Uuid,
    /// `waiting`, `sent`, `silent` (no news for 60 s), `handled`, `failed` or `stopped`.
    state: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    sent_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    done_at: Option<Timestamp>,
    /// Its consumer had handled the message before and has recognised it: this replay had no effect.
    duplicate: bool,
    /// Which process has handled it.
    by_instance: Option<String>,
    /// In how long.
    duration_ms: Option<f64>,
    /// Why it failed again.
    error: Option<String>,
}

/// Who has discarded a letter.
#[derive(Debug, Serialize, ToSchema)]
struct Discarded {
    by: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    reason: Option<String>,
}

impl Letter {
    /// The message types that its consumer knows.
    pub(in crate::http) fn types(&self) -> &'static [&'static str] {
        self.target.as_deref().map_or(&[], types_of)
    }
}

impl From<store::Letter> for Letter {
    fn from(letter: store::Letter) -> Self {
        let replay = letter.replay;
        let by = letter.discarded_by;
        Self {
            id: letter.id,
            state: letter.state,
            service: letter.service,
            handler: letter.handler,
            consumer: letter.consumer,
            source: letter.source,
            target: letter.target,
            reason: letter.reason,
            pattern: letter.pattern,
            message_id: letter.message_id,
            message_type: letter.message_type,
            order_id: letter.order_id,
            version: letter.version,
            attempts: letter.attempts,
            failures: letter.failures,
            first_at: letter.first_at.to_jiff(),
            last_at: letter.last_at.to_jiff(),
            size: letter.size,
            cut: letter.is_cut,
            overtaken: letter.overtaken,
            revision: letter.revision,
            replay: replay.job_id.map(|job| Replay {
                job,
                state: replay.replay_state.unwrap_or_default(),
                sent_at: replay.sent_at.map(|at| at.to_jiff()),
                done_at: replay.done_at.map(|at| at.to_jiff()),
                duplicate: replay.duplicate.unwrap_or_default(),
                by_instance: replay.instance,
                duration_ms: replay.duration_us.map(milliseconds),
                error: replay.error,
            }),
            discarded: by.map(|by| Discarded {
                by,
                at: letter.discarded_at.map(|at| at.to_jiff()),
                reason: letter.discarded_why,
            }),
        }
    }
}

/// Microseconds as milliseconds.
#[expect(clippy::cast_precision_loss, reason = "no span lasts for 285 years")]
pub(super) fn milliseconds(microseconds: i64) -> f64 {
    microseconds as f64 / 1_000.0
}
