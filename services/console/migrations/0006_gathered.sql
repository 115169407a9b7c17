-- Facts are written as they were gathered: all that are of one type in one row. An older console goes on with the table
-- `facts`, and what is there is read as before.

-- The decisions of the last seconds are looked for by the pages that have changed since then, without an entry for each order.
drop index orders_decided;
create index orders_decided on orders using brin (decided_at) with (autosummarize = on);

-- Orders are in the order of time by their ids, so the facts of one type that were gathered together are about orders next
-- to each other.
create type order_range as range (subtype = uuid);

create table gathered_facts (
    topic       text not null,
    type        text not null,
    -- When they were read, by the clock of this service.
    recorded_at timestamptz not null,
    -- From the first to the last of the orders that they are about.
    orders      order_range not null,
    -- One entry for each fact, in the order of the orders. Where there would be nothing else in it, a list is null.
    order_ids   uuid[] not null,
    partitions  int[] not null,
    offsets     bigint[] not null,
    times       timestamptz[] not null,
    versions    int[],
    reasons     text[],
    trace_ids   bytea[]
) with (
    autovacuum_vacuum_insert_threshold = 50000,
    autovacuum_analyze_threshold = 20000,
    toast.autovacuum_vacuum_insert_threshold = 500000
);
create index gathered_facts_orders on gathered_facts using gist (orders);

-- To compress ids and numbers takes time and saves little, and nobody is helped by knowing which of them are frequent.
alter table gathered_facts
    alter column order_ids set storage external,
    alter column partitions set storage external,
    alter column offsets set storage external,
    alter column times set storage external,
    alter column versions set storage external,
    alter column order_ids set statistics 0,
    alter column partitions set statistics 0,
    alter column offsets set statistics 0,
    alter column times set statistics 0,
    alter column versions set statistics 0,
    alter column reasons set statistics 0,
    alter column trace_ids set statistics 0;
