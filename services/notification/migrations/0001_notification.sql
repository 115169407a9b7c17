-- What was told to whom. A row is written together with the task that delivers it, and becomes
-- `sent` in the transaction of its delivery.
create table notifications (
    -- UUIDv7; the Message-ID of an e-mail is made of it.
    id         uuid primary key,
    order_id   uuid not null,
    event      text not null,
    channel    text not null check (channel in ('email', 'sms', 'push')),
    recipient  text not null,
    status     text not null default 'queued' check (status in ('queued', 'sent')),
    created_at timestamptz not null default now(),
    sent_at    timestamptz,
    -- What the provider knows the delivery by.
    reference  text,
    -- One effect per event and channel, however often the event is read.
    unique (order_id, event, channel),
    check ((status = 'sent') = (sent_at is not null and reference is not null))
)
-- Every row is updated once: with room in the page, that touches no index.
with (fillfactor = 70);
