use std::time::Duration;

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::Order;

// Both look for a status as for a range, in the order of the index by status. By `status = ...` the index of ids has the
// order too, and a plan that is made without the values may read all old orders by it.

/// Takes orders that have been pending for so long, oldest first, and notes that they are asked about again at
/// this moment. The next time is twice as long after it, and so on, up to 256 times as long: while an answer
/// cannot come, few questions wait for it.
///
/// They are locked. What another instance is working on is left out.
pub async fn take_unanswered(
    db: &mut PgConnection,
    now: Timestamp,
    after: Duration,
    limit: i64,
) -> sqlx::Result<Vec<Order>> {
    sqlx::query_as(
        "with due as (
             select orders.id
             from orders left join asked_again asked on asked.order_id = orders.id
             where (orders.status, orders.id) < ('pending', $1) and orders.status >= 'pending'
               and (asked.order_id is null
                    or asked.at < $2 - make_interval(secs => $3 * power(2, least(asked.times, 8))))
             order by orders.status, orders.id limit $4
             for no key update of orders skip locked
         ), noted as (
             insert into asked_again as asked (order_id, times, at)
             select id, 1, $2 from due
             on conflict (order_id) do update set times = asked.times + 1, at = excluded.at
         )
         select orders.* from orders where id in (select id from due) order by id",
    )
    .bind(least_id(before(now, after)))
    .bind(jiff_sqlx::Timestamp::from(now))
    .bind(after.as_secs_f64())
    .bind(limit)
    .fetch_all(db)
    .await
}

/// Forgets about orders that have been decided since they were asked about again; answers how many.
pub async fn forget_answered(db: &mut PgConnection, limit: i64) -> sqlx::Result<u64> {
    let forgotten = sqlx::query(
        "delete from asked_again
         where order_id = any(array(
             select order_id from asked_again asked
             where not exists (select from orders
                               where orders.id = asked.order_id and orders.status = 'pending')
             limit $1))",
    )
    .bind(limit)
    .execute(db)
    .await?;
    Ok(forgotten.rows_affected())
}

/// The orders whose time to be paid has been over for so long, and that still wait for it, oldest first. Those
/// that were confirmed before orders knew their time are left to their message.
///
/// Nobody looks at an order that was placed less than the payment deadline before that: it cannot be among them, unless
/// it was given less time than orders are now, and then it is found later.
pub async fn unpaid(
    db: &mut PgConnection,
    now: Timestamp,
    payment_deadline: Duration,
    after: Duration,
    limit: i64,
) -> sqlx::Result<Vec<Uuid>> {
    let due_before = before(now, after);
    sqlx::query_scalar(
        "select id from orders
         where (status, id) < ('confirmed', $1) and status >= 'confirmed'
           and (history -> -1 ->> 'pay_by')::timestamptz < $2
         order by status, id limit $3",
    )
    .bind(least_id(before(due_before, payment_deadline)))
    .bind(jiff_sqlx::Timestamp::from(due_before))
    .bind(limit)
    .fetch_all(db)
    .await
}

fn before(now: Timestamp, time: Duration) -> Timestamp {
    now.checked_sub(time).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The least id that an order of this moment can have: ids are UUIDv7, so the index by status and id finds old
/// orders without a column for it.
fn least_id(at: Timestamp) -> Uuid {
    let milliseconds = u64::try_from(at.as_millisecond()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &[0; 10]).into_uuid()
}
