use anyhow::Result;

use super::Bench;

/// Of the year before now, all of them decided, and in the order of their ids, as real ones are.
const ORDERS: &str = r#"
    insert into orders (id, status, version, customer, lines, total_cents, currency, history, created_at)
    select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
           status, 3, ('{"email": "customer' || n % 100000 || '@bench.example", "tier": "standard"}')::jsonb,
           '[{"sku": "PADDLE-CARBON", "name": "Carbon paddle", "quantity": 1,
              "unit_price": {"cents": 12900, "currency": "EUR"}}]'::jsonb,
           12900, 'EUR',
           case status when 'cancelled'
               then '[{"status": "pending", "version": 1, "at": "2026-01-01T00:00:00Z"},
                      {"status": "confirmed", "version": 2, "at": "2026-01-01T00:00:01Z"},
                      {"status": "cancelled", "version": 3, "at": "2026-01-01T00:00:02Z", "reason": "bench"}]'::jsonb
               else '[{"status": "pending", "version": 1, "at": "2026-01-01T00:00:00Z"},
                      {"status": "confirmed", "version": 2, "at": "2026-01-01T00:00:01Z"},
                      {"status": "paid", "version": 3, "at": "2026-01-01T00:00:02Z"}]'::jsonb
           end, at
    from (select n, now() - (ROWS - n + 1) * (interval '365 days' / ROWS) as at,
                 case when n % 20 = 0 then 'cancelled' else 'paid' end as status
          from generate_series(1, ROWS) n) made"#;

/// Pages that were used again and again have entries of every age, and some are always due.
const INBOX: &str = "
    insert into messaging.inbox (handler, message_id, received_at)
    select 'confirm-or-reject', (lpad(to_hex(n), 12, '0') || '7000800000000000bec4')::uuid,
           now() - random() * interval '7 days 1 hour'
    from generate_series(1, ROWS) n";

/// One in ten was sent, so that a migration that speaks of those has a tenth to do.
const NOTIFICATIONS: &str = "
    insert into notifications (id, order_id, event, channel, recipient, status, created_at, sent_at, reference, deliveries)
    select id, id, 'order-paid', 'push', 'customer' || n % 100000 || '@bench.example',
           case when n % 10 = 0 then 'sent' else 'queued' end, now(),
           case when n % 10 = 0 then now() end, case when n % 10 = 0 then 'bench' end,
           case when n % 10 = 0 then 1 else 0 end
    from (select n, (lpad(to_hex(n), 12, '0') || '7000800000000000bec4')::uuid as id
          from generate_series(1, ROWS) n) made";

/// Of a service that is stopped.
const OUTBOX: &str = "
    insert into messaging.outbox (message_id, transport, shard, destination, routing_key, message_type, body)
    select gen_random_uuid(), 'rabbitmq', n % 8, 'notifications', 'bench.nobody', 'spillway.bench.v1', '{}'
    from generate_series(1, ROWS / 10) n";

/// So that the tables are as they are when they have grown for long.
const SETTLE: &str = "vacuum analyze";

const ALL: [(&str, &str); 6] = [
    ("order", ORDERS),
    ("order", INBOX),
    ("order", SETTLE),
    ("notification", NOTIFICATIONS),
    ("notification", OUTBOX),
    ("notification", SETTLE),
];

impl Bench {
    pub(super) async fn fill_tables(&self) -> Result<()> {
        for (database, statement) in ALL {
            let statement = statement.replace("ROWS", &self.rows.to_string());
            self.sql(database, &statement).await?;
        }
        // What was filled in is on the disk, and not written there while something is measured.
        self.sql("postgres", "checkpoint").await.map(drop)
    }
}
