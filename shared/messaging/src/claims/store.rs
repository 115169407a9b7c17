use sqlx::PgConnection;
use tokio::time::Instant;
use tracing::warn;
use uuid::Uuid;

use super::pulse::Pulse;

/// What became of a claim.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is granted, once the transaction is committed.
    Granted,
    /// Somebody else has it, who is alive.
    Held,
    /// Nobody knows whether the effect took place.
    Doubtful(Doubt),
}

/// That nobody knows whether an effect took place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Doubt {
    /// Tells it apart from a later one about the same message.
    pub(crate) id: Uuid,
    /// Why nobody knows.
    pub(crate) reason: String,
}

/// Claims a message for a handler, for this process.
///
/// A doubt stands until the message comes and `names` it: then somebody has sent it again who was told of this
/// doubt. However late a message comes that names none, or an earlier one, it is a copy that came by itself.
pub(crate) async fn claim(
    db: &mut PgConnection,
    pulse: &Pulse,
    (handler, message_id): (&str, Uuid),
    names: Option<Uuid>,
) -> sqlx::Result<Verdict> {
    let new = sqlx::query(
        "insert into messaging.claims (handler, message_id, instance) values ($1, $2, $3)
         on conflict do nothing",
    )
    .bind(handler)
    .bind(message_id)
    .bind(pulse.instance)
    .execute(&mut *db)
    .await?;
    if new.rows_affected() > 0 {
        return Ok(Verdict::Granted);
    }
    let standing: Option<(Uuid, Option<String>, Uuid)> = sqlx::query_as(
        "select instance, doubt, doubt_id from messaging.claims
         where handler = $1 and message_id = $2 for update",
    )
    .bind(handler)
    .bind(message_id)
    .fetch_optional(&mut *db)
    .await?;
    match standing {
        Some((_, Some(reason), id)) if names != Some(id) => {
            Ok(Verdict::Doubtful(Doubt { id, reason }))
        }
        Some((_, Some(_), _)) => {
            take_over(db, pulse, (handler, message_id)).await?;
            Ok(Verdict::Granted)
        }
        Some((instance, None, _)) if instance == pulse.instance => Ok(Verdict::Granted),
        Some((instance, None, _)) if pulse.dead(Instant::now()).contains(&instance) => {
            take_over(db, pulse, (handler, message_id)).await?;
            warn!(
                handler,
                %message_id,
                %instance,
                "message {message_id} is taken over from a dead process, which may have handled it"
            );
            sqlx::query("insert into messaging.takeovers values ($1, $2, $3, $4)")
                .bind(handler)
                .bind(message_id)
                .bind(instance)
                .bind(pulse.instance)
                .execute(db)
                .await?;
            Ok(Verdict::Granted)
        }
        // Held, or released just now: then it is there for the next who asks.
        Some(_) | None => Ok(Verdict::Held),
    }
}

async fn take_over(
    db: &mut PgConnection,
    pulse: &Pulse,
    (handler, message_id): (&str, Uuid),
) -> sqlx::Result<()> {
    sqlx::query(
        "update messaging.claims set instance = $3, doubt = null, claimed_at = clock_timestamp()
         where handler = $1 and message_id = $2",
    )
    .bind(handler)
    .bind(message_id)
    .bind(pulse.instance)
    .execute(db)
    .await?;
    Ok(())
}

/// Gives a claim of this process up: it is certain that there was no effect. A doubt that stands is no claim, and
/// stays.
pub(crate) async fn release(
    db: &mut PgConnection,
    pulse: &Pulse,
    (handler, message_id): (&str, Uuid),
) -> sqlx::Result<()> {
    sqlx::query(
        "delete from messaging.claims
         where handler = $1 and message_id = $2 and instance = $3 and doubt is null",
    )
    .bind(handler)
    .bind(message_id)
    .bind(pulse.instance)
    .execute(db)
    .await?;
    Ok(())
}

/// Ends the claim on a message whose effect is recorded, whoever has it meanwhile.
pub(crate) async fn settle(
    db: &mut PgConnection,
    (handler, message_id): (&str, Uuid),
) -> sqlx::Result<()> {
    sqlx::query("delete from messaging.claims where handler = $1 and message_id = $2")
        .bind(handler)
        .bind(message_id)
        .execute(db)
        .await?;
    Ok(())
}

/// Notes at a claim of this process that nobody knows whether the effect took place.
pub(crate) async fn doubt(
    db: &mut PgConnection,
    pulse: &Pulse,
    (handler, message_id): (&str, Uuid),
    doubt: &Doubt,
) -> sqlx::Result<()> {
    sqlx::query(
        "update messaging.claims set doubt = $4, doubt_id = $5, claimed_at = clock_timestamp()
         where handler = $1 and message_id = $2 and instance = $3",
    )
    .bind(handler)
    .bind(message_id)
    .bind(pulse.instance)
    .bind(&doubt.reason)
    .bind(doubt.id)
    .execute(db)
    .await?;
    Ok(())
}

/// Counts this process on, and returns the counts of all, and of those that have claims and never
/// counted. Only who can write sees anything: a database that can only be read stops everybody's
/// count.
pub(super) async fn count(db: &mut PgConnection, instance: Uuid) -> sqlx::Result<Vec<(Uuid, i64)>> {
    sqlx::query_as(
        "with counted as (
             insert into messaging.instances as one (instance, beat) values ($1, 0)
             on conflict (instance) do update set beat = one.beat + 1)
         select instance, max(beat) from (
             select instance, beat from messaging.instances
             union all
             select instance, -1 from messaging.claims where doubt is null) as everybody
         group by instance",
    )
    .bind(instance)
    .fetch_all(db)
    .await
}

/// Forgets the dead who left no claim, and doubts that are so old that nobody is expected to deliver their
/// message again.
pub(super) async fn forget(db: &mut PgConnection, dead: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query(
        "with old as (
             delete from messaging.claims
             where doubt is not null and claimed_at < clock_timestamp() - interval '7 days')
         delete from messaging.instances one
         where instance = any($1)
           and not exists (select from messaging.claims
                           where claims.instance = one.instance and doubt is null)",
    )
    .bind(dead)
    .execute(db)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests;
