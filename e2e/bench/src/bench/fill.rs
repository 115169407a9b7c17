use anyhow::{Context, Result};

use super::Bench;

/// Each with two facts, gathered for 500 orders at once. Ten a second until now, most of them paid. Their ids are in the
/// order of time, as ids of orders are. The offsets are far behind those of real facts.
const ORDERS: &str = r#"
    with made as (
        select n, now() - (1000000 - n) * interval '100 ms' as at,
               case when n % 1000 = 0 then 'rejected' when n % 20 = 0 then 'cancelled'
                    when n % 3 = 0 then 'confirmed' else 'paid' end as status
        from generate_series(1, 1000000) n
    ), named as (
        select *, (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008000'
                   || lpad(to_hex(n), 12, '0'))::uuid as id
        from made
    ), known as (
        insert into orders (id, version, status, email, tier, total_cents, currency, placed_at, decided_at, changed_at)
        select id, 2, status, 'customer' || n % 100000 || '@bench.example',
               case when n % 10 = 0 then 'vip' else 'standard' end, 1000 + n % 50000, 'EUR',
               at, at + interval '20 ms', at + interval '20 ms'
        from named
    )
    insert into gathered_facts (topic, type, recorded_at, orders, order_ids, partitions, offsets, times, versions)
    select 'order-events', 'spillway.' || type || '.v1', max(at),
           order_range((array_agg(id order by id))[1], (array_agg(id order by id desc))[1], '[]'),
           array_agg(id order by id), array_agg(n % 8 order by id),
           array_agg(1000000000 + 2 * n::bigint + version order by id), array_agg(at order by id),
           array_agg(version order by id)
    from named, (values (1, 'order-placed'), (2, 'order-confirmed')) as kind (version, type)
    group by n / 500, type"#;

/// About the newest orders, of four consumers and for fifty reasons, with a text of 1 KiB to look through.
const LETTERS: &str = r#"
    with newest as (select id from orders order by id desc limit 10000),
    made as (
        select id as order_id, row_number() over (order by id) as n,
               (array['inventory.stock-commands', 'notification.email', 'order.stock-events',
                      'notification.order-events'])[(1 + row_number() over (order by id) % 4)::int] as consumer
        from newest
    ), named as (
        select *, (lpad(to_hex((extract(epoch from now()) * 1000)::bigint), 12, '0') || '70008000'
                   || lpad(to_hex(n), 12, '0'))::uuid as id, 'reason ' || n % 50 || ' of order ' as pattern
        from made
    ), kept as (
        insert into letters (id, key, state, service, handler, consumer, target, source, reason, pattern, message_id,
                             message_type, order_id, version, attempts, failures, first_at, last_at, size, is_cut,
                             headers, properties, search)
        select id, decode(md5(n::text), 'hex'), 'open', split_part(consumer, '.', 1), 'bench', consumer, consumer,
               jsonb_build_object('kind', 'queue', 'queue', consumer), pattern || order_id, pattern || '#', id::text,
               'spillway.reserve-stock.v1', order_id, 1, 6, 1, now(), now(), 2, false, '[]', '{}',
               'customer' || n || '@bench.example ' || repeat(md5(n::text), 32)
        from named
        returning id
    )
    insert into letter_revisions (letter_id, number, at, message_type, message_id, body, changes)
    select id, 0, now(), 'spillway.reserve-stock.v1', id::text, convert_to('{}', 'UTF8'), '[]' from kept"#;

/// So that the tables are as they are when they have grown for long.
const SETTLE: &str = "vacuum analyze orders, gathered_facts, letters, letter_revisions";

/// With so many newer ones.
const DEEP: &str = "select id from orders order by id desc offset 500000 limit 1";

impl Bench {
    /// Fills the tables of the console, and returns the order in the middle.
    pub(super) async fn fill(&self) -> Result<String> {
        for statement in [ORDERS, LETTERS, SETTLE] {
            self.sql("console", statement).await?;
        }
        let deep = self.sql("console", DEEP).await;
        let deep = deep.context("no order in the middle")?;
        Ok(deep.trim().to_owned())
    }

    /// In a database of this Compose project. What it prints is the rows.
    pub(super) async fn sql(&self, database: &str, statement: &str) -> Result<String> {
        let psql = ["exec", "-T", "postgres", "psql", "-qAtX"];
        let there = ["-U", "postgres", "-d", database, "-v", "ON_ERROR_STOP=1"];
        let run = [&psql[..], &there, &["-c", statement]].concat();
        self.compose.run(&run).await
    }
}
