//! A handler takes effect once for each message.
//!
//! This room promises that of two deliveries of a message, to whichever instances of the service,
//! only one is new to a handler: the id is written in the transaction of the effect, and the second
//! transaction waits for the outcome of the first. Ids are remembered for `INBOX_RETENTION`, and a while longer in a
//! large table, because forgetting them costs the same however large it is.

use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, Instant};

use sqlx::postgres::PgArguments;
use sqlx::query::{QueryAs, QueryScalar};
use sqlx::{PgConnection, PgPool, Postgres};
use uuid::Uuid;

use crate::faults::crash_point::{self, CrashPoint};
use crate::faults::{Guarantee, without};

/// So many are claimed by the statement that begins their transaction.
const FEW: usize = 8;

/// Claims messages for a handler and returns those that it has not handled before.
///
/// When another transaction is handling one of them, this waits for its outcome. The ids are
/// claimed in order, so that two batches that share messages cannot wait for each other.
pub(crate) async fn claim(
    db: &mut PgConnection,
    handler: &str,
    mut ids: Vec<Uuid>,
) -> sqlx::Result<HashSet<Uuid>> {
    ids.sort_unstable();
    let new = claim_query(handler, &ids).fetch_all(db).await?;
    crash_point::reach(CrashPoint::InboxClaimed);
    if without(Guarantee::Inbox) {
        return Ok(ids.into_iter().collect());
    }
    Ok(new.into_iter().collect())
}

pub(crate) fn claim_query<'q>(
    handler: &'q str,
    ids: &'q [Uuid],
) -> QueryScalar<'q, Postgres, Uuid, PgArguments> {
    sqlx::query_scalar(
        "insert into messaging.inbox (handler, message_id)
         select $1, id from unnest($2::uuid[]) id
         on conflict do nothing
         returning message_id",
    )
    .bind(handler)
    .bind(ids)
}

/// The insertion that claims messages which nobody has handled, to begin a transaction with: ids and handler
/// stand in the statement, which the server plans anew each time. For many messages, or without the guarantee,
/// there is none.
pub(crate) fn claim_of_few(handler: &str, ids: &[Uuid]) -> Option<String> {
    if ids.len() > FEW || without(Guarantee::Inbox) {
        return None;
    }
    let handler = handler.replace('\'', "''");
    // In order, as above; one that stands among them twice is claimed once.
    let rows: BTreeSet<_> = ids
        .iter()
        .map(|id| format!("('{handler}', '{id}')"))
        .collect();
    let rows = Vec::from_iter(rows).join(", ");
    Some(format!(
        "insert into messaging.inbox (handler, message_id) values {rows}"
    ))
}

/// The messages of such an insertion, all of which are new to the handler.
pub(crate) fn claimed(ids: Vec<Uuid>) -> HashSet<Uuid> {
    crash_point::reach(CrashPoint::InboxClaimed);
    ids.into_iter().collect()
}

/// Whether the handler has taken effect for a message.
pub(crate) async fn has(
    db: &mut PgConnection,
    handler: &str,
    message_id: Uuid,
) -> sqlx::Result<bool> {
    if without(Guarantee::Inbox) {
        return Ok(false);
    }
    sqlx::query_scalar(
        "select exists (select from messaging.inbox where handler = $1 and message_id = $2)",
    )
    .bind(handler)
    .bind(message_id)
    .fetch_one(db)
    .await
}

/// Forgets everything that these handlers have handled.
pub(crate) async fn forget(db: &mut PgConnection, handlers: &[&str]) -> sqlx::Result<()> {
    sqlx::query("delete from messaging.inbox where handler = any($1)")
        .bind(handlers)
        .execute(db)
        .await?;
    Ok(())
}

/// So many pages of the table are read at once, and so many entries deleted. Both limit what one pass costs,
/// however large the table is and however often its pages were used.
const PAGES: i64 = 400;
const ENTRIES: i64 = 500;

/// After a round in which nothing was old, so long passes until the next one.
const REST: Duration = Duration::from_secs(60);

/// Forgets messages that were handled so long ago that nobody is expected to deliver them again. It goes through
/// the table from its first page to its last, and begins again.
#[derive(Default)]
pub(crate) struct Pruning {
    /// The next to be read.
    page: i64,
    /// Something was old in this round.
    has_found: bool,
    /// When a round ended in which nothing was.
    rests: Option<Instant>,
}

impl Pruning {
    /// Whether there may be something to forget.
    pub(crate) fn is_due(&self) -> bool {
        self.rests.is_none_or(|since| since.elapsed() >= REST)
    }

    /// Forgets what is old in the next pages, and returns how many entries that were.
    pub(crate) async fn pass(&mut self, pool: &PgPool, retention: Duration) -> sqlx::Result<i64> {
        let (forgotten, pages) = forget_old(self.page, retention).fetch_one(pool).await?;
        self.has_found |= forgotten > 0;
        // Otherwise there may be more in these.
        if forgotten < ENTRIES {
            self.page += PAGES;
        }
        if self.page >= pages {
            self.page = 0;
            let has_found = std::mem::take(&mut self.has_found);
            self.rests = (!has_found).then(Instant::now);
        }
        Ok(forgotten)
    }
}

/// How many old entries were deleted of the pages from this one on, and how many pages the table has.
pub(crate) fn forget_old(
    page: i64,
    retention: Duration,
) -> QueryAs<'static, Postgres, (i64, i64), PgArguments> {
    let first_of = |page: i64| format!("({page},0)");
    sqlx::query_as(
        "with forgotten as (
             delete from messaging.inbox
             where ctid = any(array(
                 select ctid from messaging.inbox
                 where ctid >= $2::text::tid and ctid < $3::text::tid
                   and received_at < clock_timestamp() - make_interval(secs => $1)
                 limit $4))
             returning 1
         )
         select (select count(*) from forgotten),
                pg_relation_size('messaging.inbox') / current_setting('block_size')::int8",
    )
    .bind(retention.as_secs_f64())
    .bind(first_of(page))
    .bind(first_of(page + PAGES))
    .bind(ENTRIES)
}

#[cfg(test)]
mod tests;
