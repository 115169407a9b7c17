use serde_json::Value;
use uuid::Uuid;

/// A dead letter, and what is known about its last replay.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Letter {
    /// Its own id.
    pub id: Uuid,
    /// `open`, `replaying`, `sent`, `handled` or `discarded`.
    pub state: String,
    /// The service that has failed.
    pub service: Option<String>,
    /// Its handler.
    pub handler: Option<String>,
    /// The queue, or the consumer group.
    pub consumer: String,
    /// The queue to which a replay goes.
    pub target: Option<String>,
    /// Where the message was.
    pub source: Value,
    /// Why it failed the last time.
    pub reason: String,
    /// The reason without numbers and ids.
    pub pattern: String,
    /// The id of the message, as mended.
    pub message_id: Option<String>,
    /// Its type, as mended.
    pub message_type: Option<String>,
    /// The order that it is about.
    pub order_id: Option<Uuid>,
    /// Which version of the order.
    pub version: Option<i32>,
    /// How many attempts have failed, of all failures.
    pub attempts: i64,
    /// How often it became a dead letter.
    pub failures: i32,
    /// When it became one first.
    pub first_at: jiff_sqlx::Timestamp,
    /// And when last.
    pub last_at: jiff_sqlx::Timestamp,
    /// How long its body is, in bytes.
    pub size: i64,
    /// Something of it is missing.
    pub is_cut: bool,
    /// All headers.
    pub headers: Value,
    /// All properties.
    pub properties: Value,
    /// The newest of its revisions.
    pub revision: i32,
    /// Who has discarded it.
    pub discarded_by: Option<String>,
    /// When.
    pub discarded_at: Option<jiff_sqlx::Timestamp>,
    /// Why.
    pub discarded_why: Option<String>,
    /// What it says is out of date.
    pub overtaken: bool,
    /// Its last replay.
    #[sqlx(flatten)]
    pub replay: LastReplay,
}

/// The last replay of a letter; nothing is known if there was none.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LastReplay {
    /// Which job it belonged to.
    pub job_id: Option<Uuid>,
    /// `waiting`, `sent`, `silent`, `handled`, `failed` or `stopped`.
    pub replay_state: Option<String>,
    /// When it was published.
    pub sent_at: Option<jiff_sqlx::Timestamp>,
    /// When its outcome was known.
    pub done_at: Option<jiff_sqlx::Timestamp>,
    /// The consumer had handled it before, so that this replay had no effect.
    pub duplicate: Option<bool>,
    /// Who has handled it.
    pub instance: Option<String>,
    /// In how long, in microseconds.
    pub duration_us: Option<i64>,
    /// Why it failed again.
    pub error: Option<String>,
}
