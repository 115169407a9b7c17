-- Old entries of the inbox are found by reading the table page by page, a few pages at a time. Once pages are used again,
-- each of them has old and new entries, and an index of ages by page leads to all of them.
drop index messaging.inbox_by_age;
