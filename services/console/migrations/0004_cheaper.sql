-- Every order is written here too, and PostgreSQL has other things to do: what is written for it is as little as
-- its lists and its time line need.

-- In the order in which a console that still runs locks them: it writes an order, then its facts. Otherwise this migration
-- and that console could wait for each other. Whoever reads goes on.
lock table orders, facts in share row exclusive mode;

-- How many facts of each partition were noted. It rises with every fact, so that a page can tell that there is news, and is
-- one row for a partition in place of a number and its index for each fact. It is no offset, because those of a topic that
-- is created anew begin at 0.
create table noted (
    topic     text not null,
    partition int not null,
    facts     bigint not null,
    primary key (topic, partition)
) with (autovacuum_vacuum_threshold = 10000, autovacuum_analyze_threshold = 1000000);

insert into noted (topic, partition, facts)
select topic, partition, count(*) from facts group by topic, partition;

-- One index in place of three: it finds the facts of an order, and knows a record that comes again.
alter table facts
    drop constraint facts_pkey,
    drop column number,
    add primary key (order_id, topic, partition, "offset");
drop index facts_order;

-- Ids are in the order of time, so the primary key finds what was placed when.
drop index orders_placed;

-- While a table is small, 5 % of it are dead every few seconds, and a vacuum reads all indexes. Facts and spans never change
-- at all, and a page of stock or flows has room for many versions of its few rows.
alter table facts set (
    autovacuum_vacuum_insert_threshold = 500000,
    autovacuum_analyze_threshold = 200000
);
alter table orders set (
    autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_insert_threshold = 200000,
    autovacuum_analyze_threshold = 20000
);
alter table spans set (
    autovacuum_vacuum_insert_threshold = 100000,
    autovacuum_analyze_threshold = 50000
);
alter table stock set (
    fillfactor = 50,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_analyze_threshold = 100000
);
alter table queue_flows set (
    autovacuum_vacuum_threshold = 5000,
    autovacuum_analyze_threshold = 100000
);
