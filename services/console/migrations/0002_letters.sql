-- The dead-letter office. Unlike the rest of this database it cannot be read again: who drops it, loses letters.

-- One row for each message that could not be handled, as it first came.
create table letters (
    id             uuid primary key,
    -- Which message of which consumer: a copy joins the letter that is still open.
    key            bytea not null,
    -- `open`, `replaying`, `sent`, `handled` or `discarded`.
    state          text not null,
    service        text,
    handler        text,
    consumer       text not null,
    -- The queue from which the consumer that failed takes messages.
    target         text,
    source         jsonb not null,
    reason         text not null,
    -- The reason without numbers and ids, by which letters are grouped.
    pattern        text not null,
    message_id     text,
    message_type   text,
    -- When and by whom it was written: CloudEvents `time` and `source`.
    written        text,
    producer       text,
    order_id       uuid,
    version        int,
    attempts       bigint not null,
    failures       int not null,
    first_at       timestamptz not null,
    last_at        timestamptz not null,
    size           bigint not null,
    is_cut         boolean not null,
    headers        jsonb not null,
    properties     jsonb not null,
    -- What is looked for, in lower case.
    search         text not null,
    -- The newest of its revisions: what a replay sends.
    revision       int not null default 0,
    discarded_by   text,
    discarded_at   timestamptz,
    discarded_why  text
);
create index letters_key on letters (key) where state in ('open', 'replaying', 'sent');
create index letters_state on letters (state, id);

-- What a letter contains: number 0 as it came, the others as somebody has mended it.
create table letter_revisions (
    letter_id    uuid not null references letters on delete cascade,
    number       int not null,
    at           timestamptz not null,
    by           text,
    message_type text,
    message_id   text,
    body         bytea not null,
    changes      jsonb not null,
    primary key (letter_id, number)
);

-- What somebody is writing and has not saved.
create table letter_drafts (
    letter_id    uuid not null references letters on delete cascade,
    by           text not null,
    at           timestamptz not null,
    base         int not null,
    message_type text,
    message_id   text,
    body         bytea not null,
    primary key (letter_id, by)
);

-- What happened to a letter, who has done what to it, and how that ended.
create table letter_history (
    number      bigint generated always as identity primary key,
    letter_id   uuid not null,
    -- Of a failure, so that a letter that is delivered twice counts once.
    fingerprint bytea unique,
    at          timestamptz not null,
    who         text,
    what        text not null,
    detail      text
);
create index letter_history_letter on letter_history (letter_id, number);

-- Letters that are replayed together: the set is as it was when somebody pressed the button.
create table jobs (
    id         uuid primary key,
    -- `running`, `paused`, `halted`, `stopped` or `done`.
    state      text not null,
    why        text,
    -- So many had failed again, and of so many there was no news, when somebody let it go on.
    forgiven   int not null default 0,
    overlooked int not null default 0,
    rate       int not null,
    by         text not null,
    at         timestamptz not null,
    ended_at   timestamptz,
    -- When the next letter may go.
    due_at     timestamptz not null,
    -- Which console works on it, and until when it has it for itself.
    leased_by  text,
    leased_until timestamptz
);
create index jobs_active on jobs (state) where state in ('running', 'paused', 'halted');

-- The letters of a job. It is the job's outbox too: a letter is published, and then marked.
create table replays (
    job_id      uuid not null references jobs on delete cascade,
    letter_id   uuid not null references letters on delete cascade,
    position    int not null,
    revision    int not null,
    order_id    uuid,
    -- `waiting`, `sent`, `silent` (no news for a minute), `handled`, `failed` or `stopped`.
    state       text not null,
    -- By these its outcome is found among the spans.
    trace_id    bytea,
    span_id     bytea,
    sent_at     timestamptz,
    done_at     timestamptz,
    instance    text,
    duration_us bigint,
    error       text,
    primary key (job_id, position)
);
create index replays_letter on replays (letter_id, job_id);
create index replays_order on replays (job_id, order_id) where state in ('waiting', 'sent');
create index replays_sent on replays (trace_id) where state in ('sent', 'silent');
