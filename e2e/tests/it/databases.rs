//! A database that is there and cannot be used holds messages up, and none of them becomes a dead letter.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use contracts::topology::DEAD_LETTERS;
use harness::{Order, Stack, cloud_event, eventually, wish};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::ANYTHING;
use crate::support::database::database;
use crate::support::overlay::up_with;

/// Until a service has noticed, or has caught up.
const LIMIT: Duration = Duration::from_secs(90);

/// Many times longer than the pauses of `IMPATIENT` together.
const HELD_FOR: u64 = 3;

/// What counts as an attempt makes a dead letter at once.
const IMPATIENT: &[(&str, &str)] = &[("RETRY_DELAYS", "10ms")];

/// The type of what nobody handles, and what tells that all before it has come.
const MARKER: &str = "e2e.marker.v1";

/// What is done to the database of a service, how it is undone, and what health says meanwhile.
struct Trouble {
    begin: &'static str,
    end: &'static str,
    says: &'static str,
}

const WRONG_PASSWORD: Trouble = Trouble {
    begin: "alter role SERVICE password 'changed'",
    // As in `init.sql`.
    end: "alter role SERVICE password 'demo-SERVICE'",
    says: "password authentication failed",
};

/// As after a failover to a server that follows another one.
const READ_ONLY: Trouble = Trouble {
    begin: "alter database SERVICE set default_transaction_read_only = on",
    end: "alter database SERVICE reset default_transaction_read_only",
    says: "read-only",
};

/// What cannot be answered meanwhile: a path, and a body if something is to be written.
type Request = (&'static str, Value);

#[tokio::test]
async fn messages_wait_for_a_database_that_refuses_the_password_or_takes_no_writes() -> Result<()> {
    let stack = Stack::alone().await?;
    up_with(
        &stack,
        &["inventory", "notification"].map(|service| (service, IMPATIENT)),
    )
    .await?;
    let notifications = "/api/notifications?order_id=00000000-0000-0000-0000-000000000000";
    let restock = "/api/stock/KAYAK-SOLO/restocks";
    // Both services at once, and both to the end, because each undoes its own trouble.
    let (notification, inventory) = tokio::join!(
        wait_for_each(
            &stack,
            "notification",
            [
                (WRONG_PASSWORD, Some((notifications, Value::Null))),
                // It writes nothing for anybody who asks.
                (READ_ONLY, None),
            ],
        ),
        wait_for_each(
            &stack,
            "inventory",
            [
                (WRONG_PASSWORD, Some(("/api/stock", Value::Null))),
                (READ_ONLY, Some((restock, json!({"quantity": 1})))),
            ],
        ),
    );
    notification?;
    inventory
}

/// One trouble after the other.
async fn wait_for_each(
    stack: &Stack,
    service: &str,
    troubles: [(Trouble, Option<Request>); 2],
) -> Result<()> {
    for (trouble, asked) in troubles {
        wait_for_it(stack, service, &trouble, asked)
            .await
            .with_context(|| format!("{service}: {}", trouble.says))?;
    }
    Ok(())
}

async fn wait_for_it(
    stack: &Stack,
    service: &str,
    trouble: &Trouble,
    asked: Option<Request>,
) -> Result<()> {
    let letters = dead_letters(stack).await?;
    let of_service = |statement: &str| statement.replace("SERVICE", service);
    let seen = async {
        sql(&of_service(trouble.begin)).await?;
        end_sessions(service).await?;
        place_and_watch(stack, service, trouble, asked).await
    };
    let orders = seen.await;
    // Whatever was seen, the next test needs the database.
    sql(&of_service(trouble.end)).await?;
    let orders = orders?;

    stack.is_ready().await?;
    for (order, wish) in orders {
        stack.gateway.reaches(order.id, "confirmed", LIMIT).await?;
        let address = wish["customer"]["email"].as_str().context("no address")?;
        eventually("an e-mail", LIMIT, async || {
            let emails = stack.mailbox.sent_to(address).await?;
            Ok((!emails.is_empty()).then_some(()))
        })
        .await?;
        stack.mailbox.receives(address, 1).await?;
    }
    eventually("health has no complaint", LIMIT, async || {
        let health = stack.compose.health(service).await?;
        let complaint = health.error("database").or(health.error("consumers"));
        ensure!(health.ready && complaint.is_none(), "{health:?}");
        Ok(Some(()))
    })
    .await?;
    let new = dead_letters(stack).await?;
    let new: Vec<_> = new.difference(&letters).collect();
    ensure!(new.is_empty(), "dead letters: {new:?}");
    Ok(())
}

/// Orders, whose messages the service holds, while it says why and its API refuses for the moment.
async fn place_and_watch(
    stack: &Stack,
    service: &str,
    trouble: &Trouble,
    asked: Option<Request>,
) -> Result<Vec<(Order, Value)>> {
    let mut orders = Vec::new();
    for _ in 0..5 {
        let wish = wish(ANYTHING, 1);
        orders.push((stack.gateway.place(&wish).await?, wish));
    }
    eventually(
        "messages are held, and health says why",
        LIMIT,
        async || {
            let health = stack.compose.health(service).await?;
            let [database, consumers] = ["database", "consumers"].map(|name| health.error(name));
            let (database, consumers) = (database.unwrap_or(""), consumers.unwrap_or(""));
            ensure!(!health.ready, "ready");
            ensure!(database.contains(trouble.says), "{health:?}");
            ensure!(consumers.contains(trouble.says), "{health:?}");
            ensure!(held_for(consumers) >= Some(HELD_FOR), "{health:?}");
            Ok(Some(()))
        },
    )
    .await?;
    if let Some((path, body)) = &asked {
        let answer = match body {
            Value::Null => stack.gateway.get(path).await?,
            body => stack.gateway.post(path, body).await?,
        };
        ensure!(answer.status == 503, "{answer:?}");
        ensure!(answer.headers.contains_key("retry-after"), "{answer:?}");
    }
    Ok(orders)
}

/// The seconds of the first destination in `... holds 5 messages for 3 s: ...`.
fn held_for(complaint: &str) -> Option<u64> {
    let (_, seconds) = complaint.split_once(" messages for ")?;
    seconds.split(' ').next()?.parse().ok()
}

/// All dead letters, also those that were still in their queue: behind them a marker is sent, which has to come.
async fn dead_letters(stack: &Stack) -> Result<BTreeSet<String>> {
    let marker = cloud_event(MARKER);
    stack
        .rabbitmq
        .publish(DEAD_LETTERS.name, "", marker.properties(), "{}")
        .await?;
    let ids = std::slice::from_ref(&marker.id);
    stack.letters.with_ids(ids, LIMIT).await?;
    let letters = stack.letters.all().await?;
    let others = letters
        .iter()
        .filter(|letter| letter.message_type.as_deref() != Some(MARKER));
    Ok(others
        .map(|letter| format!("{} of {}: {}", letter.id, letter.consumer, letter.reason))
        .collect())
}

/// Ends the sessions of a service that began before now. One that is about to log in has no name yet.
async fn end_sessions(service: &str) -> Result<()> {
    let mut server = database("postgres").await?;
    let now = sqlx::query_scalar("select clock_timestamp()::text");
    let now: String = now.fetch_one(&mut server).await?;
    eventually("the sessions are ended", LIMIT, async || {
        let ended = sqlx::query_scalar(
            "select count(*) filter (where usename is null or pg_terminate_backend(pid)) from pg_stat_activity
             where backend_type = 'client backend' and backend_start < $2::timestamptz
               and coalesce(usename, $1) = $1",
        );
        let ended = ended.bind(service).bind(&now);
        let ended: i64 = ended.fetch_one(&mut server).await?;
        Ok((ended == 0).then_some(()))
    })
    .await
}

/// A statement as the superuser, where nothing is read-only.
async fn sql(statement: &str) -> Result<()> {
    let mut server = database("postgres").await?;
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(&mut server)
        .await?;
    Ok(())
}
