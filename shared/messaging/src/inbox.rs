//! A handler takes effect once for each message.
//!
//! This room promises that of two deliveries of a message, to whichever instances of the service,
//! only one is new to a handler: the id is written in the transaction of the effect, and the second
//! transaction waits for the outcome of the first. Ids are remembered for `INBOX_RETENTION`.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use sqlx::{PgConnection, PgPool};
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_messages_are_claimed_in_order_and_each_once() {
        let ids = [3, 1, 3].map(Uuid::from_u128);
        let claim = claim_of_few("it's", &ids).unwrap_or_default();
        let (_, rows) = claim.split_once(" values ").unwrap_or_default();
        let (one, three) = (ids[1], ids[0]);
        assert_eq!(rows, format!("('it''s', '{one}'), ('it''s', '{three}')"));
    }

    #[test]
    fn many_messages_are_claimed_by_a_prepared_statement() {
        assert_eq!(claim_of_few("work", &[Uuid::nil(); FEW + 1]), None);
    }
}
