-- How often the provider took it, as far as that was committed. Delivering has no key that would stop a
-- second time: the inbox keeps this at one.
alter table notifications add column deliveries int not null default 0;
update notifications set deliveries = 1 where status = 'sent';
