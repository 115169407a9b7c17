-- Topics that carry state and are read from their beginning by a database that has never read them.
-- Whoever has dropped the database, or the tables of the service in it, gets the state back that way.
create table messaging.read_topics (
    consumer_group text primary key,
    -- Identity of the table of the service's migrations: new tables have read nothing yet.
    tables oid not null,
    begun_at timestamptz not null default clock_timestamp()
);
