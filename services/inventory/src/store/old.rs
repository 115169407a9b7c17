use messaging::{OldRows, RemovalQuery};

/// Removes what was decided about old orders, unless their pieces are still set aside.
pub fn remove_old_reservations(old: &OldRows) -> RemovalQuery {
    sqlx::query_as(
        "with seen as materialized (
             select order_id from reservations where order_id > $1 and order_id < $2 order by order_id limit $3
         ), removed as (
             delete from reservations
             where order_id = any(array(
                 select order_id from reservations
                 where order_id = any(array(select order_id from seen)) and status <> 'reserved'
                 for update skip locked))
             returning order_id
         ), noted as (
             insert into removals as earlier (what, up_to)
             select 'reservations', order_id from removed order by order_id desc limit 1
             on conflict (what) do update set up_to = greatest(earlier.up_to, excluded.up_to)
         )
         select (select count(*) from removed), (select order_id from seen order by order_id desc limit 1)",
    )
    .bind(old.after)
    .bind(old.below)
    .bind(old.limit)
}

/// Forgets the keys of old deliveries, which stay. It goes on where it was, also after a restart.
pub fn forget_old_keys(old: &OldRows) -> RemovalQuery {
    sqlx::query_as(
        "with seen as materialized (
             select id from restocks
             where id > greatest($1, (select up_to from removals where what = 'idempotency keys')) and id < $2
             order by id limit $3
         ), forgotten as (
             update restocks set idempotency_key = null
             where id = any(array(select id from seen)) and idempotency_key is not null
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
