//! What the console has read can be thrown away, because it can read all of it once more.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use checker::Observer;
use contracts::topology::DEAD_LETTERS;
use harness::{ConsoleGroups, Stack, cloud_event, eventually, wish};
use sqlx::PgConnection;
use tokio::process::Command;
use uuid::Uuid;

use crate::ANYTHING;
use crate::support::database::database;

/// The product of these orders, of which there is plenty, and one of which there are few.
const SKU: &str = "DRYBAG-20";
const SCARCE: &str = "GATE-WHEEL";

/// All that other tests have left in the topics is read.
const LIMIT: Duration = Duration::from_secs(300);

/// All that comes from topics, table by table. When it was read, and in which order, makes no difference.
const MODEL: &str = r#"select concat_ws(' ',
    (select md5(string_agg(orders::text, ';' order by id)) from orders),
    (select md5(string_agg(known::text, ';' order by topic, partition, "offset")) from (
         select topic, partition, "offset", type, time, order_id, version, reason, trace_id from facts
         union
         select list.topic, one.partition, one."offset", list.type, one.written, one.order_id, one.version, one.reason,
                one.trace_id
         from gathered_facts list,
             unnest(list.order_ids, list.partitions, list.offsets, list.times, list.versions, list.reasons,
                    list.trace_ids) as one (order_id, partition, "offset", written, version, reason, trace_id)
     ) as known),
    (select md5(string_agg(stock::text, ';' order by sku)) from stock))"#;

/// What no topic has.
const STRANGE: &str = "
    insert into orders (id, version, status, email, tier, total_cents, currency, changed_at)
    values ($1, 1, 'paid', 'nobody@e2e.example', 'standard', 1, 'EUR', now())";

#[tokio::test]
async fn what_the_console_reads_anew_is_what_it_had_read() -> Result<()> {
    let stack = Stack::alone().await?;
    stack.compose.up(&[("console", 2)]).await?;
    let letter = keep_a_letter(&stack).await?;
    let orders = orders_of_every_outcome(&stack).await?;
    everything_is_read(&stack).await?;
    let mut console = database("console").await?;
    let known = sqlx::query_as("select id, status from orders where id = any($1) order by id");
    let ids: Vec<_> = orders.iter().map(|(id, _)| *id).collect();
    let known: Vec<(Uuid, String)> = known.bind(ids).fetch_all(&mut console).await?;
    let known: Vec<_> = known.iter().map(|(id, of)| (*id, of.as_str())).collect();
    assert_eq!(known, orders);

    let before = model(&mut console).await?;
    let strange = sqlx::query(STRANGE).bind(Uuid::nil());
    strange.execute(&mut console).await?;
    ensure!(
        model(&mut console).await? != before,
        "a strange order makes no difference"
    );
    rebuild().await?;
    let mut last = String::new();
    let same = eventually("the same is read", LIMIT, async || {
        last = model(&mut console).await?;
        Ok((last == before).then_some(()))
    });
    same.await
        .with_context(|| format!("orders, facts and stock were {before}, and are {last}"))?;

    stack.is_ready().await?;
    stack.letters.get(letter).await.context("the letter")?;
    let consoles = stack.compose.containers("console").await?;
    let running = consoles.values().filter(|one| one.state == "running");
    assert_eq!(running.count(), 2, "{consoles:?}");
    Ok(())
}

#[tokio::test]
async fn a_rebuild_is_refused_while_a_console_runs() -> Result<()> {
    let stack = Stack::shared().await?;
    let wish = wish(ANYTHING, 1);
    let order = stack.gateway.place_until(&wish, "confirmed").await?.id;
    let mut console = database("console").await?;
    eventually("the console knows the order", LIMIT, async || {
        let is_known = knows(&mut console, order).await?;
        Ok(is_known.then_some(()))
    })
    .await?;

    let once = ["run", "--rm", "--no-deps", "-T", "console", "rebuild"];
    let refused = stack.compose.run(&once).await.err();
    let refused = format!("{:#}", refused.context("it was not refused")?);
    let said: Vec<_> = refused
        .lines()
        .filter(|line| line.contains("console: "))
        .collect();
    ensure!(
        said.len() == 1 && said[0].contains("somebody still consumes"),
        "{refused}"
    );
    ensure!(knows(&mut console, order).await?, "the order is gone");
    Ok(())
}

/// The orders and how each has ended, in the order of their ids.
async fn orders_of_every_outcome(stack: &Stack) -> Result<Vec<(Uuid, &'static str)>> {
    let api = &stack.gateway;
    let mut orders = Vec::new();
    for outcome in ["confirmed", "paid", "cancelled", "rejected"] {
        let (wish, decision) = match outcome {
            "rejected" => (wish(SCARCE, 1_000), outcome),
            _ => (wish(SKU, 1), "confirmed"),
        };
        let order = api.place(&wish).await?.id;
        api.reaches(order, decision, LIMIT).await?;
        match outcome {
            "paid" => drop(api.settle(order, "payment").await?),
            "cancelled" => drop(api.settle(order, "cancellation").await?),
            _ => {}
        }
        orders.push((order, outcome));
    }
    Ok(orders)
}

/// A dead letter, which no topic has.
async fn keep_a_letter(stack: &Stack) -> Result<Uuid> {
    let letter = cloud_event("e2e.kept.v1");
    stack
        .rabbitmq
        .publish(DEAD_LETTERS.name, "", letter.properties(), "{}")
        .await?;
    let letters = stack.letters.with_ids(&[letter.id], LIMIT).await?;
    Ok(letters.first().context("no letter")?.id)
}

/// Waits until nothing is on its way, and the console has read all of it.
async fn everything_is_read(stack: &Stack) -> Result<()> {
    let observer = Observer::new(
        stack.gateway.clone(),
        stack.rabbitmq.clone(),
        stack.compose.clone(),
    )?;
    let console = ConsoleGroups::new()?;
    eventually("everything is read", LIMIT, async || {
        let pending = observer.pending().await?;
        ensure!(pending.is_delivered(), "{pending:?}");
        Ok((console.unread().await? == 0).then_some(()))
    })
    .await
}

async fn knows(console: &mut PgConnection, order: Uuid) -> Result<bool> {
    let known = sqlx::query_scalar("select exists(select from orders where id = $1)");
    Ok(known.bind(order).fetch_one(console).await?)
}

async fn model(console: &mut PgConnection) -> Result<String> {
    Ok(sqlx::query_scalar(MODEL).fetch_one(console).await?)
}

async fn rebuild() -> Result<()> {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dev"));
    let output = command.arg("rebuild").output().await?;
    let (said, error) = (&output.stdout, &output.stderr);
    ensure!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(said),
        String::from_utf8_lossy(error)
    );
    Ok(())
}
