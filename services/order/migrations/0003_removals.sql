-- How far old rows have been removed: what is not there up to this id may have been there. One row for orders and one
-- for idempotency keys, once something is removed.
create table removals (
    what  text primary key check (what in ('orders', 'idempotency keys')),
    up_to uuid not null
);
