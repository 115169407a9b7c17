-- Tables of the messaging crate, in a schema of their own beside the tables of the service.

-- Messages that a transaction has decided to send. The row is written in the same transaction as
-- the change that the message is about, so that either both exist or neither does. A relay
-- publishes it and deletes it once the broker has confirmed.
create table messaging.outbox (
    -- The order of publishing. Rows of one ordering key are written while the row that they
    -- speak of is locked, so for one key this is also the order of the commits. Between keys it
    -- is not: a relay must look for the rows that are there, never for "greater than the last".
    seq bigint generated always as identity,
    message_id uuid not null,
    transport text not null check (transport in ('rabbitmq', 'kafka')),
    -- Hash of the ordering key: whoever holds the lease of the shard publishes its rows.
    shard smallint not null,
    -- Exchange (empty for the default exchange) or topic.
    destination text not null,
    -- Routing key, or the key of the Kafka record.
    routing_key text not null,
    message_type text not null,
    -- W3C trace context of whoever caused the message.
    traceparent text,
    body bytea not null,
    created_at timestamptz not null default clock_timestamp(),
    -- Unroutable and refused messages are tried again later, without holding up the others.
    attempts int not null default 0,
    available_at timestamptz not null default clock_timestamp(),
    -- The only index: every message of the system pays for each of them.
    primary key (transport, seq)
);

-- The outbox is a queue: every row dies young, and scans pass over the dead ones.
alter table messaging.outbox set (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 20000,
    autovacuum_vacuum_cost_delay = 0
);

-- Messages that a handler has taken effect for. The row is written in the transaction of the
-- effect, so that a second delivery finds it.
create table messaging.inbox (
    handler text not null,
    message_id uuid not null,
    received_at timestamptz not null default clock_timestamp(),
    primary key (handler, message_id)
);
create index inbox_by_age on messaging.inbox using brin (received_at);

-- Which relay publishes which shard. A lease in a table expires by itself; an advisory lock
-- would stay with a stopped process for as long as its connection lives.
create table messaging.leases (
    transport text not null,
    shard smallint not null,
    owner uuid,
    expires_at timestamptz not null default '-infinity',
    primary key (transport, shard)
);
insert into messaging.leases (transport, shard)
select transport, shard from unnest(array['rabbitmq', 'kafka']) transport, generate_series(0, 7) shard;

-- The relays that are alive, so that each can tell its fair share of the shards.
create table messaging.relays (
    transport text not null,
    instance uuid not null,
    expires_at timestamptz not null,
    primary key (transport, instance)
);
