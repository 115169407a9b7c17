-- How far old rows have been removed: what is not there up to this id may have been there. One row for reservations,
-- by the ids of their orders, and one for idempotency keys of deliveries, once something is removed.
create table removals (
    what  text primary key check (what in ('reservations', 'idempotency keys')),
    up_to uuid not null
);
