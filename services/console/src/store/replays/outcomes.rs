use sqlx::PgPool;

use crate::store::letters::alone;

/// Finds the outcome of replays among the spans: the one of handling, directly below that of the replay. One that
/// has failed may be tried again, so it tells nothing; what fails for good comes back as a dead letter.
///
/// The span says too whether the consumer had handled the message before: then this replay had no effect.
///
/// A letter without news for a minute is open again, because its span may be lost. Comes the news later, it counts.
pub async fn settle_replays(pool: &PgPool) -> sqlx::Result<()> {
    let mut tx = alone(pool).await?;
    sqlx::query(
        "with settled as (
             update replays r set state = 'handled', done_at = clock_timestamp(), instance = s.service || ' ' || s.instance,
                                  duration_us = s.duration_us, duplicate = s.duplicate
             from replays w cross join lateral (
                 select service, instance, duration_us,
                        attributes @> '{\"spillway.inbox.duplicate\": true}' as duplicate
                 from spans
                 where trace_id = w.trace_id and parent_id = w.span_id and error is null and name like 'process %'
                 -- What is delivered twice is handled first, and then recognised.
                 order by duplicate, started_at limit 1
             ) s
             where w.state in ('sent', 'silent') and r.job_id = w.job_id and r.position = w.position
             returning r.job_id, r.letter_id, r.instance, r.duration_us, r.duplicate
         ), closed as (
             update letters set state = 'handled'
             where state in ('sent', 'open')
               and id in (select letter_id from settled s
                          where not exists (select from replays later
                                            where later.letter_id = s.letter_id and later.job_id > s.job_id))
         )
         insert into letter_history (letter_id, at, who, what, detail)
         select letter_id, clock_timestamp(), instance, case when duplicate then 'recognised' else 'handled' end,
                'in ' || round(duration_us / 1000.0, 1) || ' ms'
         from settled",
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "with silent as (
             update replays set state = 'silent'
             where state = 'sent' and sent_at < clock_timestamp() - interval '60 s'
             returning letter_id
         )
         update letters set state = 'open' where state = 'sent' and id in (select letter_id from silent)",
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

/// Whose outcome is not known waits to be sent once more. For a console that starts: the spans of the time before are
/// lost, and a consumer that has handled a message passes over it and says so.
pub async fn send_again(pool: &PgPool) -> sqlx::Result<()> {
    let mut tx = alone(pool).await?;
    sqlx::query(
        "with again as (
             update replays r set state = 'waiting', trace_id = null, span_id = null
             from jobs j
             where r.state = 'sent' and j.id = r.job_id and j.state = 'running'
             returning r.letter_id
         )
         update letters set state = 'replaying' where state = 'sent' and id in (select letter_id from again)",
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}
