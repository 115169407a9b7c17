-- The price list as `inventory` last announced it: our own copy, so that pricing an order asks nobody.
create table products (
    sku      text   primary key,
    name     text   not null,
    cents    bigint not null check (cents >= 0),
    currency text   not null
);

-- One row per order. Lines and history are only ever read together with their order, so they live
-- in it: placing an order is one insert, moving it on is one update.
create table orders (
    -- UUIDv7: ids grow with time, so the newest orders are the end of the primary key.
    id          uuid        primary key,
    status      text        not null check (status in ('pending', 'confirmed', 'rejected', 'paid', 'cancelled')),
    -- Rises by one with every change of status.
    version     integer     not null check (version >= 1),
    customer    jsonb       not null,
    lines       jsonb       not null,
    total_cents bigint      not null check (total_cents >= 0),
    currency    text        not null,
    history     jsonb       not null,
    created_at  timestamptz not null,

    -- The client's Idempotency-Key and the SHA-256 of what it asked for: one key is one order, and
    -- the same key with another body is told apart.
    idempotency_key text,
    request_hash    bytea,
    check ((idempotency_key is null) = (request_hash is null))
);

-- Claims keys: of two requests with the same key, the second inserts nothing.
create unique index orders_by_idempotency_key on orders (idempotency_key) where idempotency_key is not null;

-- Pages of one status, newest first.
create index orders_by_status on orders (status, id);
