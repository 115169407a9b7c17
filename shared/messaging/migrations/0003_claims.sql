-- Effects that no transaction can take back, for example an e-mail: who is about to do what, and who is alive.

-- A message whose effect somebody is about to bring about, or may have brought about. The row is
-- committed before, and deleted in the transaction that records the effect: whoever else is
-- delivered the message finds the row and waits.
create table messaging.claims (
    handler text not null,
    message_id uuid not null,
    -- Of the process, see below.
    instance uuid not null,
    claimed_at timestamptz not null default clock_timestamp(),
    -- Why nobody can tell whether the effect took place. Then nobody tries again, unless a person replays
    -- the dead letter.
    doubt text,
    primary key (handler, message_id)
);

-- A queue like the outbox: every row dies young.
alter table messaging.claims set (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 20000,
    autovacuum_vacuum_cost_delay = 0
);

-- The processes that make claims. Each counts on every second, and counts as dead when the others
-- see it stand still, by their own clocks.
create table messaging.instances (
    instance uuid primary key,
    beat bigint not null
);

-- The claims that were taken from a dead process. It may have died after the effect: so often, and no
-- more, an effect may have taken place once more than it should.
create table messaging.takeovers (
    handler text not null,
    message_id uuid not null,
    taken_from uuid not null,
    taken_by uuid not null,
    taken_at timestamptz not null default clock_timestamp()
);
