-- Messages that a broker has refused. They wait here and not in the outbox, so that a look into the outbox passes
-- over none of them, however many there are.
create table messaging.refused (
    transport text not null,
    -- The place that it had in the outbox.
    seq bigint not null,
    -- What refuses it: exchange and routing key, or topic.
    address text not null,
    -- How often it was refused itself. It is 0 when others for the same address were.
    attempts int not null,
    message_id uuid not null,
    shard smallint not null,
    destination text not null,
    routing_key text not null,
    message_type text not null,
    traceparent text,
    body bytea not null,
    created_at timestamptz not null,
    primary key (transport, seq)
);
-- The next to be tried of an address, and the next address.
create index refused_by_address on messaging.refused (transport, address, attempts, seq);

-- A queue like the outbox: whole runs of rows die at once when a destination takes them.
alter table messaging.refused set (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 20000,
    autovacuum_vacuum_cost_delay = 0
);

-- `messaging.outbox.available_at` is written by its default and read by nobody but the version before this one:
-- no row waits for a clock.
