use anyhow::{Context, Result};
use serde_json::Value;

use super::{Bench, say};

/// For a key that nobody is bound to, so that the broker returns each of them.
const ROWS: &str = "
    insert into messaging.outbox (message_id, transport, shard, destination, routing_key, message_type, body)
    select gen_random_uuid(), 'rabbitmq', n % 8, 'commands', 'bench.nobody', 'spillway.bench.v1', '{}'
    from generate_series(1, 60000) n";
/// Wherever they are by then.
const FORGET: &str = "
    do $$ begin
        delete from messaging.outbox where routing_key = 'bench.nobody';
        if to_regclass('messaging.refused') is not null then
            delete from messaging.refused where routing_key = 'bench.nobody';
        end if;
    end $$";
/// Few, so that each is alone with those rows.
const ORDERS: [&str; 8] = [
    "bench",
    "latency",
    "--rate",
    "5",
    "--warm-up",
    "0",
    "--seconds",
    "60",
];

impl Bench {
    /// How long orders take beside 60,000 rows that the broker refuses, and how often the log speaks of those in a
    /// minute.
    pub(super) async fn refused_rows(&mut self) -> Result<()> {
        say("60,000 rows that are refused");
        self.sql("order", ROWS).await?;
        let run = self.load(&ORDERS).await?;
        let log = ["logs", "--no-log-prefix", "--since", "60s", "order"];
        let log = self.compose.run(&log).await?;
        let lines = log.lines().filter(|line| line.contains("bench.nobody"));
        let lines = u32::try_from(lines.count())?;
        self.sql("order", FORGET).await?;
        let p99 = run.figures.get("p99_ms").and_then(Value::as_f64);
        self.figure("volume_refused_ms", p99.context("no order confirmed")?);
        self.figure("volume_refused_log_lines", lines.into());
        Ok(())
    }
}
