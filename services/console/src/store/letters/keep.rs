use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::lock::alone;

/// A letter as it came.
#[derive(Debug, Clone)]
pub struct NewLetter<'a> {
    /// Its id, unless it joins one that is there.
    pub id: Uuid,
    /// Which message of which consumer.
    pub key: Vec<u8>,
    /// Which delivery: each counts once.
    pub fingerprint: Vec<u8>,
    /// The letter of which it was a replay.
    pub replay_of: Option<Uuid>,
    /// Nobody knows whether it took effect: which doubt that is.
    pub doubt: Option<Uuid>,
    /// The trace that travelled with it: that of the replay, if it was one.
    pub trace_id: Option<Vec<u8>>,
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
    /// Why it failed.
    pub reason: String,
    /// The reason without numbers and ids.
    pub pattern: String,
    /// The id of the message.
    pub message_id: Option<String>,
    /// Its type.
    pub message_type: Option<String>,
    /// When it was written.
    pub written: Option<String>,
    /// By whom.
    pub producer: Option<String>,
    /// The order that it is about.
    pub order_id: Option<Uuid>,
    /// Which version of the order.
    pub version: Option<i32>,
    /// How many attempts have failed.
    pub attempts: i64,
    /// When it was given up.
    pub at: Timestamp,
    /// Something of it is missing.
    pub is_cut: bool,
    /// All headers.
    pub headers: Value,
    /// All properties.
    pub properties: Value,
    /// What is looked for.
    pub search: String,
    /// The body.
    pub body: &'a [u8],
}

/// Keeps letters, all or none. A copy, and what a replay has become, joins the letter that is there.
pub async fn keep_letters(pool: &PgPool, letters: &[NewLetter<'_>]) -> sqlx::Result<()> {
    let mut tx = alone(pool).await?;
    for letter in letters {
        if let Some(kept) = keep(&mut tx, letter).await? {
            belongings(&mut tx, letter, &kept).await?;
        }
    }
    tx.commit().await
}

/// What became of a letter that was not known.
#[derive(sqlx::FromRow)]
struct Kept {
    id: Uuid,
    is_new: bool,
    ends_replay: bool,
}

async fn keep(db: &mut PgConnection, letter: &NewLetter<'_>) -> sqlx::Result<Option<Kept>> {
    sqlx::query_as(
        "with known as (
             select id, id = $4 is true as is_replay,
                    id = $4 is true and exists (select from replays where letter_id = $4 and trace_id = $25
                                                and state in ('sent', 'silent')) as ends_replay
             from letters
             where id = $4 or (key = $2 and state in ('open', 'replaying', 'sent'))
             order by is_replay desc, id limit 1
         ), noted as (
             insert into letter_history (letter_id, fingerprint, at, who, what, detail)
             select coalesce((select id from known), $1), $3, $18, $5,
                    case when (select is_replay from known) then 'failed-again' else 'failed' end, $10
             on conflict (fingerprint) do nothing
             returning letter_id
         )
         insert into letters (id, key, state, service, handler, consumer, target, source, reason, pattern, message_id,
                              message_type, written, producer, order_id, version, attempts, failures, first_at, last_at,
                              size, is_cut, headers, properties, search, doubt)
         select letter_id, $2, 'open', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $19, 1, $18, $18,
                $20, $21, $22, $23, $24, $26
         from noted
         on conflict (id) do update set
             attempts = letters.attempts + excluded.attempts, failures = letters.failures + 1,
             reason = excluded.reason, pattern = excluded.pattern,
             last_at = greatest(letters.last_at, excluded.last_at),
             doubt = coalesce(excluded.doubt, letters.doubt),
             -- A copy says nothing about a replay that is on its way.
             state = case when letters.state in ('replaying', 'sent') and not (select ends_replay from known)
                          then letters.state else 'open' end,
             discarded_by = null, discarded_at = null, discarded_why = null
         returning id, failures = 1 as is_new, coalesce((select ends_replay from known), false) as ends_replay",
    )
    .bind(letter.id)
    .bind(&letter.key)
    .bind(&letter.fingerprint)
    .bind(letter.replay_of)
    .bind(&letter.service)
    .bind(&letter.handler)
    .bind(&letter.consumer)
    .bind(&letter.target)
    .bind(&letter.source)
    .bind(&letter.reason)
    .bind(&letter.pattern)
    .bind(&letter.message_id)
    .bind(&letter.message_type)
    .bind(&letter.written)
    .bind(&letter.producer)
    .bind(letter.order_id)
    .bind(letter.version)
    .bind(letter.at.to_sqlx())
    .bind(letter.attempts)
    .bind(i64::try_from(letter.body.len()).unwrap_or(i64::MAX))
    .bind(letter.is_cut)
    .bind(&letter.headers)
    .bind(&letter.properties)
    .bind(&letter.search)
    .bind(&letter.trace_id)
    .bind(letter.doubt)
    .fetch_optional(db)
    .await
}

/// The body of a new letter, and the outcome of a replay that has failed.
async fn belongings(
    db: &mut PgConnection,
    letter: &NewLetter<'_>,
    kept: &Kept,
) -> sqlx::Result<()> {
    if kept.is_new {
        sqlx::query(
            "insert into letter_revisions (letter_id, number, at, message_type, message_id, body, changes)
             values ($1, 0, $2, $3, $4, $5, '[]')",
        )
        .bind(kept.id)
        .bind(letter.at.to_sqlx())
        .bind(&letter.message_type)
        .bind(&letter.message_id)
        .bind(letter.body)
        .execute(&mut *db)
        .await?;
    }
    if kept.ends_replay {
        sqlx::query(
            "update replays set state = 'failed', done_at = clock_timestamp(), error = $2
             where letter_id = $1 and trace_id = $3 and state in ('sent', 'silent')",
        )
        .bind(kept.id)
        .bind(&letter.reason)
        .bind(&letter.trace_id)
        .execute(db)
        .await?;
    }
    Ok(())
}
