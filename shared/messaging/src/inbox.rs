//! A handler takes effect once for each message.
//!
//! This room promises that of two deliveries of a message, to whichever instances of the service,
//! only one is new to a handler: the id is written in the transaction of the effect, and the second
//! transaction waits for the outcome of the first. Ids are remembered for `INBOX_RETENTION`.

use std::collections::HashSet;
use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::faults::crash_point::{self, CrashPoint};
use crate::faults::{Guarantee, without};

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
    let new: Vec<Uuid> = sqlx::query_scalar(
        "insert into messaging.inbox (handler, message_id)
         select $1, id from unnest($2::uuid[]) id
         on conflict do nothing
         returning message_id",
    )
    .bind(handler)
    .bind(&ids)
    .fetch_all(db)
    .await?;
    crash_point::reach(CrashPoint::InboxClaimed);
    if without(Guarantee::Inbox) {
        return Ok(ids.into_iter().collect());
    }
    Ok(new.into_iter().collect())
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

/// Forgets messages that were handled so long ago that nobody is expected to deliver them again.
pub(crate) async fn prune(pool: &PgPool, retention: Duration) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "delete from messaging.inbox
         where ctid = any(array(
             select ctid from messaging.inbox
             where received_at < clock_timestamp() - make_interval(secs => $1)
             limit 10000))",
    )
    .bind(retention.as_secs_f64())
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
