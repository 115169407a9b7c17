use messaging::{OldRows, RemovalQuery};
use sqlx::PgConnection;
use uuid::Uuid;

/// Removes orders to which nothing can happen any more, and to which nothing has happened since then.
pub fn remove_old_orders(old: &OldRows) -> RemovalQuery {
    sqlx::query_as(
        "with seen as materialized (
             select id from orders where id > $1 and id < $2 order by id limit $3
         ), removed as (
             delete from orders
             where id = any(array(
                 select id from orders
                 where id = any(array(select id from seen)) and status in ('paid', 'rejected', 'cancelled')
                   and (history -> -1 ->> 'at')::timestamptz < $4
                 for update skip locked))
             returning id
         ), noted as (
             insert into removals as earlier (what, up_to)
             select 'orders', id from removed order by id desc limit 1
             on conflict (what) do update set up_to = greatest(earlier.up_to, excluded.up_to)
         )
         select (select count(*) from removed), (select id from seen order by id desc limit 1)",
    )
    .bind(old.after)
    .bind(old.below)
    .bind(old.limit)
    .bind(jiff_sqlx::Timestamp::from(old.before))
}

/// Up to which id orders may have been removed.
pub async fn removed_up_to(db: &mut PgConnection) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar("select up_to from removals where what = 'orders'")
        .fetch_optional(db)
        .await
}

/// Forgets the keys of old orders, which stay. It goes on where it was, also after a restart: unlike orders that are
/// gone, those without a key would be looked at again. So it waits for orders that somebody has locked.
pub fn forget_old_keys(old: &OldRows) -> RemovalQuery {
    sqlx::query_as(
        "with seen as materialized (
             select id from orders
             where id > greatest($1, (select up_to from removals where what = 'idempotency keys')) and id < $2
             order by id limit $3
         ), forgotten as (
             update orders set idempotency_key = null, request_hash = null
             where id = any(array(
                 select id from orders
                 where id = any(array(select id from seen)) and idempotency_key is not null
                 order by id for no key update))
             returning 1
         ), noted as (
             insert into removals as earlier (what, up_to)
             select 'idempotency keys', id from seen order by id desc limit 1
             on conflict (what) do update set up_to = greatest(earlier.up_to, excluded.up_to)
         )
         select (select count(*) from forgotten), (select id from seen order by id desc limit 1)",
    )
    .bind(old.after)
    .bind(old.below)
    .bind(old.limit)
}
