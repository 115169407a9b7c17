use sqlx::PgPool;

/// Finds the outcome of replays among the spans: the one of handling, directly below that of the replay. One that
/// has failed may be tried again, so it tells nothing; what fails for good comes back as a dead letter.
pub async fn settle_replays(db: &PgPool) -> sqlx::Result<u64> {
    let settled = sqlx::query(
        "with settled as (
             update replays r set state = 'handled', done_at = clock_timestamp(), instance = s.service || ' ' || s.instance,
                                  duration_us = s.duration_us
             from spans s
             where r.state = 'sent' and s.trace_id = r.trace_id and s.parent_id = r.span_id and s.error is null
               and s.name like 'process %'
             returning r.letter_id, r.instance, r.duration_us
         ), closed as (
             update letters set state = 'handled'
             where state = 'sent' and id in (select letter_id from settled)
         )
         insert into letter_history (letter_id, at, who, what, detail)
         select letter_id, clock_timestamp(), instance, 'handled', 'in ' || round(duration_us / 1000.0, 1) || ' ms'
         from settled",
    );
    Ok(settled.execute(db).await?.rows_affected())
}
