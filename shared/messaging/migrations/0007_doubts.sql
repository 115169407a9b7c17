-- Which doubt it is. The dead letter of a doubtful effect names it, so that whoever sends the message again with that name
-- has been told; without it the message is a copy that came by itself. Read only where there is a doubt.
alter table messaging.claims add column doubt_id uuid not null default gen_random_uuid();
