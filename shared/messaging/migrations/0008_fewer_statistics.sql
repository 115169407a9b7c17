-- The inbox is asked by its primary key alone, whatever is in it. While it is small, a tenth of it is new every few
-- seconds, and an analyze sorts 30,000 ids.
alter table messaging.inbox set (autovacuum_analyze_threshold = 200000);
