use std::time::Duration;

use sqlx::PgPool;
use uuid::Uuid;

use super::handover::Open;
use super::ledger::Known;
use super::{Address, NewRow, aside, backlog, lease, store};
use crate::inbox;
use crate::tests::buffers::{self, statement};
use crate::transport::Transport;

const ALL: &[i16] = &[0, 1, 2, 3, 4, 5, 6, 7];
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
/// The most that is counted by default.
const COUNTABLE: i64 = 200_001;

/// On 200,000 rows that wait, 50,000 that were refused for 50 addresses, and an inbox of 200,000. Whatever reads one of
/// these tables as a whole touches thousands of buffers, and so does a bad plan that was made without the values.
#[sqlx::test(migrations = false)]
async fn every_statement_that_runs_in_a_loop_touches_few_buffers(
    pool: PgPool,
) -> anyhow::Result<()> {
    crate::migrate::migrate(&pool).await?;
    fill(&pool).await?;
    let transport = Transport::RabbitMq;
    let waiting = first(&pool, "outbox").await?;
    let refused = first(&pool, "refused").await?;
    let known = Known {
        confirmed: waiting[..200].to_vec(),
        doubtful: Vec::new(),
        others: waiting[200..].to_vec(),
    };
    let (few, more) = (&refused[..50], &refused[50..100]);
    let closed = ["closed:1".to_owned()];
    let addresses: Vec<String> = (0..50).map(|n| format!("refused:{n}")).collect();
    let portions = [1; 50];
    let ids: Vec<Uuid> = (0..100).map(|_| Uuid::now_v7()).collect();
    let rows: Vec<NewRow> = (0..4).map(new_row).collect();
    let open = || Open {
        holder: Uuid::nil(),
        shards: ALL.to_vec(),
        known: waiting.clone(),
        term: 1,
    };
    let look = |shards| store::forget_and_take_query(transport, &known, shards, &closed, 500);
    let head = aside::at_the_head_query(transport, &ALL[..1], &closed, &waiting, 2_000);
    let forget_old = inbox::forget_old(0, WEEK);
    let insert = store::insert_query(&rows, &ids[..4], [open(), open()]);
    let count = backlog::backlogs_query(COUNTABLE);
    let put = aside::put_query(transport, &waiting[..100], 1);
    let find = aside::addresses_query(transport, "", 100);
    let sample = aside::sample_query(transport, &addresses, &portions, 500);
    let settle = aside::tried_query(transport, few, more);
    let relays = Transport::ALL.map(|transport| (transport, Uuid::now_v7()));
    let renew = lease::renew_query(&relays);
    let claim = inbox::claim_query("handle", &ids);
    let table = [
        ("outbox: forget 200, look", 2_000, statement(look(ALL))?),
        ("the same in a shard", 2_000, statement(look(&ALL[..1]))?),
        ("outbox: insert 4", 500, statement(insert)?),
        (
            "outbox: count to the limit, both brokers",
            24_000,
            statement(count)?,
        ),
        ("refused: look at a shard's head", 1_500, statement(head)?),
        ("refused: put 100 aside", 2_500, statement(put)?),
        ("refused: find 50 addresses", 800, statement(find)?),
        ("refused: a row of each", 800, statement(sample)?),
        ("refused: settle 100", 2_500, statement(settle)?),
        ("leases: renew, both brokers", 600, statement(renew)?),
        ("inbox: claim 100", 2_500, statement(claim)?),
        ("inbox: prune", 2_000, statement(forget_old)?),
    ];

    let mut db = pool.acquire().await?;
    let mut too_much = Vec::new();
    for (name, limit, statement) in table {
        let of_kept_plan = buffers::of_kept_plan(&mut db, statement.clone()).await?;
        let buffers = buffers::of(&mut db, statement).await?;
        let line = format!("{name:<40} {buffers:>6}, {of_kept_plan:>6} buffers of {limit:>6}");
        println!("{line}");
        if buffers.max(of_kept_plan) > limit {
            too_much.push(line);
        }
    }
    assert!(too_much.is_empty(), "{too_much:#?}");
    Ok(())
}

fn new_row(number: u8) -> NewRow {
    NewRow {
        address: Address {
            transport: Transport::RabbitMq,
            destination: "tests".into(),
            key: "test".into(),
        },
        ordering_key: number.to_string(),
        message_type: "test.row.v1",
        traceparent: None,
        body: vec![0; 100],
    }
}

/// The first 500 places of a table.
async fn first(pool: &PgPool, table: &str) -> anyhow::Result<Vec<i64>> {
    let of_outbox =
        "select seq from messaging.outbox where transport = 'rabbitmq' order by seq limit 500";
    let of_refused =
        "select seq from messaging.refused where transport = 'rabbitmq' order by seq limit 500";
    let first = sqlx::query_scalar(if table == "outbox" {
        of_outbox
    } else {
        of_refused
    });
    Ok(first.fetch_all(pool).await?)
}

async fn fill(pool: &PgPool) -> anyhow::Result<()> {
    for statement in [
        "insert into messaging.outbox
             (message_id, transport, shard, destination, routing_key, message_type, body)
         select gen_random_uuid(), case n & 1 when 0 then 'rabbitmq' else 'kafka' end, ((n >> 1) & 7)::int2, 'tests',
                'test', 'test.row.v1', convert_to(repeat('x', 100), 'UTF8')
         from generate_series(1, 200000) n",
        "insert into messaging.refused
             (transport, seq, address, attempts, message_id, shard, destination, routing_key, message_type, body,
              created_at)
         select 'rabbitmq', 1000000 + n, 'refused:' || n % 50, 1, gen_random_uuid(), (n & 7)::int2, 'refused',
                (n % 50)::text, 'test.row.v1', convert_to(repeat('x', 100), 'UTF8'), clock_timestamp()
         from generate_series(1, 50000) n",
        "insert into messaging.inbox (handler, message_id, received_at)
         select 'handle', gen_random_uuid(), clock_timestamp() - random() * interval '8 days'
         from generate_series(1, 200000)",
        "update messaging.leases set owner = '00000000-0000-0000-0000-000000000000'",
        "analyze messaging.outbox",
        "analyze messaging.refused",
        "analyze messaging.inbox",
    ] {
        sqlx::query(statement).execute(pool).await?;
    }
    Ok(())
}
