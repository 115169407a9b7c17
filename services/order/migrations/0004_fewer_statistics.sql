-- Statistics of documents help no plan, since nothing is ever found by what is in them, and they are most of what an
-- analyze of this table costs: it sorts 30,000 of each.
alter table orders
    alter column customer set statistics 0,
    alter column lines set statistics 0,
    alter column history set statistics 0;

-- While the table is small, a tenth of it changes every few seconds.
alter table orders set (autovacuum_analyze_threshold = 20000);
