-- Whether a row waits in the table for its turn. One that does not is in the memory of the relay that holds
-- its shard, or was refused and lets others pass. Nothing is handed to a relay past the table while
-- something of its shard waits here.
alter table messaging.outbox add column queued boolean not null default true;
create index outbox_queued on messaging.outbox (transport, shard) where queued;
