-- Orders that got no answer in time and were asked about again: how often, and when last. A row goes once its order
-- is decided. A table of its own, because instances that run while this is created select all columns of `orders`.
create table asked_again (
    order_id uuid        primary key,
    times    integer     not null,
    at       timestamptz not null
);
