use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgPool;
use uuid::Uuid;

use super::row::Letter;

/// Counting stops here.
const COUNTED: i64 = 10_000;

/// Which letters to look for.
#[derive(Debug, Clone, Default)]
pub struct LetterFilter {
    /// Only those in this state.
    pub state: Option<String>,
    /// Only those of this consumer.
    pub consumer: Option<String>,
    /// Only those whose reason has this pattern.
    pub pattern: Option<String>,
    /// Only those of this message type.
    pub message_type: Option<String>,
    /// Only those in which this occurs, in lower case.
    pub text: Option<String>,
    /// Only those that failed at this time or later.
    pub since: Option<Timestamp>,
    /// Only those that failed before this time.
    pub until: Option<Timestamp>,
}

/// Letters that failed for the same reason in the same consumer.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LetterGroup {
    /// The consumer.
    pub consumer: String,
    /// The reason without numbers and ids.
    pub pattern: String,
    /// The newest reason.
    pub reason: String,
    /// How many.
    pub count: i64,
    /// When the first of them came.
    pub first_at: jiff_sqlx::Timestamp,
    /// When the last of them failed.
    pub last_at: jiff_sqlx::Timestamp,
}

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// So many, as far as they were counted.
    pub count: i64,
    /// And more.
    pub is_more: bool,
}

/// The condition of a filter on `letters l`, with the parameters 1 to 7.
macro_rules! matching {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " where ($1::text is null or l.state = $1) and ($2::text is null or l.consumer = $2)
               and ($3::text is null or l.pattern = $3) and ($4::text is null or l.message_type = $4)
               and ($5::text is null or position($5 in l.search) > 0)
               and ($6::timestamptz is null or l.last_at >= $6) and ($7::timestamptz is null or l.last_at < $7) ",
            $after
        )
    };
}
pub(in crate::store) use matching;

/// Binds the parameters of `matching!`.
macro_rules! bound {
    ($query:expr, $filter:expr) => {
        $query
            .bind(&$filter.state)
            .bind(&$filter.consumer)
            .bind(&$filter.pattern)
            .bind(&$filter.message_type)
            .bind(&$filter.text)
            .bind($filter.since.map(ToSqlx::to_sqlx))
            .bind($filter.until.map(ToSqlx::to_sqlx))
    };
}
pub(in crate::store) use bound;

/// Whether what a letter says is out of date: state that has a newer state, an order that has moved on. With the
/// letter as `l` and its order as `o`.
macro_rules! overtaken {
    () => {
        "(coalesce(l.source ->> 'topic' in ('products', 'stock-levels'), false) or coalesce(o.version > l.version, false)
          or coalesce(l.message_type like 'spillway.reserve-stock.%' and o.status <> 'pending', false))"
    };
}
pub(in crate::store) use overtaken;

macro_rules! rows {
    () => {
        concat!(
            "select l.*, ",
            overtaken!(),
            " as overtaken, r.job_id, r.sent_at, r.done_at, r.duplicate, r.instance, r.duration_us, r.error,
                r.state as replay_state
             from letters l left join orders o on o.id = l.order_id
             left join lateral (select * from replays where letter_id = l.id order by job_id desc limit 1) r on true"
        )
    };
}

/// A page of letters, newest first.
pub async fn letters(
    db: &PgPool,
    filter: &LetterFilter,
    before: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<Letter>> {
    const SQL: &str = concat!(
        rows!(),
        " where l.id in (",
        matching!(
            "select l.id from letters l",
            "and ($8::uuid is null or l.id < $8) order by l.id desc limit $9"
        ),
        ") order by l.id desc"
    );
    let query = bound!(sqlx::query_as(SQL), filter);
    query.bind(before).bind(limit).fetch_all(db).await
}

/// One letter.
pub async fn letter(db: &PgPool, id: Uuid) -> sqlx::Result<Option<Letter>> {
    const SQL: &str = concat!(rows!(), " where l.id = $1");
    sqlx::query_as(SQL).bind(id).fetch_optional(db).await
}

/// How many letters there are, exactly up to 10,000.
pub async fn count_letters(db: &PgPool, filter: &LetterFilter) -> sqlx::Result<Counted> {
    const SQL: &str = matching!(
        "select count(*) from (select from letters l",
        "limit $8) counted"
    );
    let query = bound!(sqlx::query_scalar(SQL), filter);
    let count: i64 = query.bind(COUNTED + 1).fetch_one(db).await?;
    Ok(Counted {
        count: count.min(COUNTED),
        is_more: count > COUNTED,
    })
}

/// The largest groups of letters.
pub async fn letter_groups(db: &PgPool, filter: &LetterFilter) -> sqlx::Result<Vec<LetterGroup>> {
    const SQL: &str = matching!(
        "select l.consumer, l.pattern, (array_agg(l.reason order by l.last_at desc))[1] as reason, count(*) as count,
                min(l.first_at) as first_at, max(l.last_at) as last_at
         from letters l",
        "group by l.consumer, l.pattern order by count desc, l.consumer, l.pattern limit 100"
    );
    bound!(sqlx::query_as(SQL), filter).fetch_all(db).await
}
