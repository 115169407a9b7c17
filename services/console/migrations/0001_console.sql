-- What the topics say about orders and stock, as this service has read it. All of it can be read again.

-- One row for each order, as its last known fact left it.
create table orders (
    id          uuid primary key,
    version     int not null,
    status      text not null,
    email       text not null,
    tier        text not null,
    total_cents bigint not null,
    currency    text not null,
    -- Unknown while its first fact was not read: partitions are read side by side.
    placed_at   timestamptz,
    decided_at  timestamptz,
    changed_at  timestamptz not null
);

-- Ids are in the order of time, so a page of the newest needs no other column.
create index orders_status on orders (status, id);
create index orders_email on orders (email, id);
create index orders_placed on orders (placed_at);
create index orders_decided on orders (decided_at) where decided_at is not null;

-- One row for each record of `order-events` and `stock-events`: where it is, not what is in it.
create table facts (
    topic        text not null,
    partition    int not null,
    "offset"     bigint not null,
    type         text not null,
    -- When it was written, by the clock of its producer.
    time         timestamptz not null,
    -- When it was read, by the clock of this service.
    recorded_at  timestamptz not null,
    order_id     uuid not null,
    version      int,
    reason       text,
    trace_id     bytea,
    -- Rises with every fact, so that a page can tell that there is news.
    number       bigint generated always as identity,
    primary key (topic, partition, "offset")
);
create index facts_order on facts (order_id);
create index facts_number on facts (number);

create table stock (
    sku         text primary key,
    name        text,
    price_cents bigint,
    currency    text,
    available   bigint,
    reserved    bigint,
    sold        bigint,
    version     bigint not null default 0,
    changed_at  timestamptz
);

-- Spans that services have exported, of the orders that are traced.
create table spans (
    trace_id    bytea not null,
    span_id     bytea not null,
    parent_id   bytea not null,
    name        text not null,
    service     text not null,
    instance    text not null,
    started_at  timestamptz not null,
    duration_us bigint not null,
    attributes  jsonb not null,
    error       text,
    primary key (trace_id, span_id)
);
create index spans_started on spans (started_at);
-- Partitions that wait for another attempt are looked for all the time.
create index spans_holds on spans (started_at) where name like 'hold %';

-- How many messages had ever left each queue, by this service's count, when it last looked: from this the
-- age of the oldest message is known, also after a restart.
create table queue_flows (
    queue        text primary key,
    departed     bigint not null,
    -- The broker's own counter, which begins anew with the broker.
    acknowledged bigint not null,
    -- How many had arrived before anybody looked.
    unwatched    bigint not null,
    watched_since timestamptz not null,
    seen_at      timestamptz not null
);

-- By when how many messages had arrived at a queue; those that have left are forgotten.
create table queue_arrivals (
    queue      text not null,
    before     bigint not null,
    arrived    bigint not null,
    began_at   timestamptz not null,
    ended_at   timestamptz not null,
    -- They may have come long before: nobody was looking.
    at_least   boolean not null,
    primary key (queue, arrived)
);

-- What somebody wants a service to be like, until it expires by itself.
create table controls (
    service      text primary key,
    pause        boolean not null,
    slow_ms      int not null,
    fail_percent int not null,
    fail_kind    text not null,
    refuse_email boolean not null,
    set_by       text not null,
    set_at       timestamptz not null,
    until        timestamptz not null
);
