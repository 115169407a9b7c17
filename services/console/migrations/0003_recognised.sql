-- The consumer had handled the message before, recognised it, and this replay had no effect.
alter table replays add column duplicate boolean not null default false;
