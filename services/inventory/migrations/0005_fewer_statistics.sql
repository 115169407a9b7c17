-- Statistics of documents help no plan, since nothing is ever found by what is in them, and they are most of what an
-- analyze of this table costs: it sorts 30,000 of them.
alter table reservations alter column lines set statistics 0;

-- While these tables are small, a tenth of them changes every few seconds. A page of stock has room for many versions of
-- its few rows.
alter table reservations set (autovacuum_analyze_threshold = 20000);
alter table stock set (autovacuum_vacuum_threshold = 2000, autovacuum_analyze_threshold = 100000);
