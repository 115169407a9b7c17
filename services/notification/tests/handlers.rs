//! What events and tasks do to the database and to the outbox.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use contracts::{OrderConfirmed, OrderEvent, OrderPlaced, SendNotification, Tier};
use messaging::testing::{self, handle};
use messaging::{Cause, Failure};
use notification::handlers::{Deliver, NotifyCustomers};
use notification::provider::{Provider, Simulated};
use notification::store;
use sqlx::PgPool;
use uuid::Uuid;

#[expect(dead_code, reason = "each test file uses its own part of it")]
mod support;
use support::{ORDER, order};

#[sqlx::test]
async fn each_channel_gets_a_task_under_its_own_routing_key(pool: PgPool) -> Result<()> {
    let bus = testing::bus("notification", &pool).await?;
    handle(&bus, &NotifyCustomers, [placed(), confirmed()]).await?;
    let keys: Vec<String> =
        sqlx::query_scalar("select routing_key from messaging.outbox order by seq")
            .fetch_all(&pool)
            .await?;
    let expected = [
        "push.order-placed.vip",
        "email.order-confirmed.vip",
        "sms.order-confirmed.vip",
        "push.order-confirmed.vip",
    ];
    assert_eq!(keys, expected);
    Ok(())
}

#[sqlx::test]
async fn an_event_that_is_told_twice_is_passed_on_once(pool: PgPool) -> Result<()> {
    let bus = testing::bus("notification", &pool).await?;
    handle(&bus, &NotifyCustomers, [confirmed(), confirmed()]).await?;
    handle(&bus, &NotifyCustomers, [confirmed()]).await?;
    assert_eq!(tasks(&pool).await?.len(), 3);
    Ok(())
}

#[sqlx::test]
async fn a_delivered_notification_is_marked(pool: PgPool) -> Result<()> {
    let bus = testing::bus("notification", &pool).await?;
    handle(&bus, &NotifyCustomers, [placed()]).await?;
    let task = tasks(&pool).await?.remove(0);
    let provider = Deliver(Counter::default());
    handle(&bus, &provider, [task.clone()]).await?;
    assert_eq!(provider.0.0.load(Ordering::Relaxed), 1);

    let stored = store::of_order(&mut *pool.acquire().await?, ORDER)
        .await?
        .remove(0);
    assert_eq!(stored.status, "sent");
    assert_eq!(
        stored.reference,
        Some(format!("push-{}", task.notification_id))
    );
    Ok(())
}

#[sqlx::test]
async fn a_task_without_a_notification_is_rejected_before_its_neighbours_are_delivered(
    pool: PgPool,
) -> Result<()> {
    let bus = testing::bus("notification", &pool).await?;
    handle(&bus, &NotifyCustomers, [placed()]).await?;
    let known = tasks(&pool).await?.remove(0);
    let unknown = SendNotification {
        notification_id: Uuid::now_v7(),
        ..known.clone()
    };
    let provider = Deliver(Counter::default());
    let rejected = handle(&bus, &provider, [known.clone(), unknown.clone()]).await;
    let reason = format!("there is no notification {}", unknown.notification_id);
    assert!(rejected.is_err_and(|error| error.to_string() == reason));
    assert_eq!(provider.0.0.load(Ordering::Relaxed), 0);
    // The consumer goes on one by one.
    handle(&bus, &provider, [known]).await?;
    assert_eq!(provider.0.0.load(Ordering::Relaxed), 1);
    Ok(())
}

#[sqlx::test]
async fn a_notification_that_the_provider_refuses_stays_queued(pool: PgPool) -> Result<()> {
    let bus = testing::bus("notification", &pool).await?;
    handle(&bus, &NotifyCustomers, [placed()]).await?;
    let task = tasks(&pool).await?.remove(0);
    assert!(handle(&bus, &Deliver(Refusal), [task]).await.is_err());
    let stored = store::of_order(&mut *pool.acquire().await?, ORDER)
        .await?
        .remove(0);
    assert_eq!(stored.status, "queued");
    Ok(())
}

/// The simulated provider, which counts its deliveries.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Provider for Counter {
    async fn deliver(&self, task: &SendNotification, cause: &Cause) -> Result<String, Failure> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Simulated.deliver(task, cause).await
    }
}

/// A provider that takes nothing.
struct Refusal;

impl Provider for Refusal {
    async fn deliver(&self, _: &SendNotification, _: &Cause) -> Result<String, Failure> {
        Err(Failure::reject("no"))
    }
}

/// The tasks in the outbox.
async fn tasks(pool: &PgPool) -> Result<Vec<SendNotification>> {
    let bodies: Vec<Vec<u8>> = sqlx::query_scalar("select body from messaging.outbox order by seq")
        .fetch_all(pool)
        .await?;
    bodies
        .iter()
        .map(|body| Ok(serde_json::from_slice(body)?))
        .collect()
}

fn placed() -> OrderEvent {
    OrderPlaced {
        order: order(Tier::Vip),
    }
    .into()
}

fn confirmed() -> OrderEvent {
    OrderConfirmed {
        order: order(Tier::Vip),
    }
    .into()
}
