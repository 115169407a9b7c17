//! Thousands of races for one order, on a real database: whoever is first wins, everybody is told
//! the same, and nothing follows from having lost.

mod support;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::http::StatusCode;
use contracts::CancelUnpaidOrder;
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt, stream};
use order::domain::Status;
use order::handlers::{CancelUnpaidOrders, ConfirmOrReject};
use sqlx::PgPool;
use support::{PAYMENT_DEADLINE, Service, reserved};
use uuid::Uuid;

const RACES: usize = 2_000;
/// Enough to keep every connection of the pool busy.
const AT_ONCE: usize = 8;

const CONFIRM_OR_REJECT: ConfirmOrReject = ConfirmOrReject {
    payment_deadline: PAYMENT_DEADLINE,
};

#[sqlx::test]
async fn payment_cancellation_and_deadline_have_one_winner(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let orders = place(&service).await?;
    for some in orders.chunks(200) {
        let reservations = some.iter().map(|id| reserved(*id));
        service.handle(&CONFIRM_OR_REJECT, reservations).await?;
    }
    let answers = race(&orders, async |id| {
        let (paid, cancelled, deadline) = tokio::join!(
            post(&service, id, "payment"),
            post(&service, id, "cancellation"),
            async {
                head_start().await;
                let deadline = CancelUnpaidOrder::of(id);
                service.handle(&CancelUnpaidOrders, [deadline]).await
            }
        );
        deadline?;
        Ok((paid?, cancelled?))
    })
    .await?;

    let published = published(&service).await?;
    let mut winners = BTreeMap::new();
    for (id, (paid, cancelled)) in answers {
        let order = service.order(id).await?;
        let reason = order.reason().unwrap_or("paid").to_owned();
        let expected = match (order.status, reason.as_str()) {
            (Status::Paid, _) => (StatusCode::OK, StatusCode::CONFLICT),
            // Who cancels what the deadline has cancelled gets what they want.
            (Status::Cancelled, _) => (StatusCode::CONFLICT, StatusCode::OK),
            other => anyhow::bail!("{id} is {other:?}"),
        };
        assert_eq!((paid, cancelled), expected, "{id} is {reason}");
        assert_eq!(order.version, 3, "{order:?}");
        let end: &[&str] = match order.status {
            Status::Paid => &["order-paid", "sell-stock"],
            _ => &["order-cancelled", "release-stock"],
        };
        assert_eq!(ends(&published, id)?, end, "{id} is {reason}");
        *winners.entry(reason).or_insert(0) += 1;
    }
    ensure!(winners.len() == 3, "it was no race: {winners:?}");
    Ok(())
}

#[sqlx::test]
async fn a_cancellation_that_races_with_the_reservation_releases_it(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let orders = place(&service).await?;
    let answers = race(&orders, async |id| {
        let (cancelled, confirmed) = tokio::join!(post(&service, id, "cancellation"), async {
            head_start().await;
            service.handle(&CONFIRM_OR_REJECT, [reserved(id)]).await
        });
        confirmed?;
        cancelled
    })
    .await?;

    let published = published(&service).await?;
    let mut confirmed_first = 0;
    for (id, cancelled) in answers {
        assert_eq!(cancelled, StatusCode::OK);
        let order = service.order(id).await?;
        assert_eq!(order.status, Status::Cancelled);
        let steps: Vec<Status> = order.history.iter().map(|change| change.status).collect();
        let was_confirmed = steps == [Status::Pending, Status::Confirmed, Status::Cancelled];
        assert!(was_confirmed || steps == [Status::Pending, Status::Cancelled]);
        assert_eq!(ends(&published, id)?, ["order-cancelled", "release-stock"]);
        let confirmations = published[&id].get("order-confirmed").copied();
        assert_eq!(confirmations, was_confirmed.then_some(1), "{id}");
        confirmed_first += usize::from(was_confirmed);
    }
    ensure!((1..RACES).contains(&confirmed_first), "it was no race");
    Ok(())
}

async fn place(service: &Service) -> Result<Vec<Uuid>> {
    let mut placed = Vec::new();
    while placed.len() < RACES {
        placed.extend(try_join_all((0..200).map(|_| service.placed())).await?);
    }
    Ok(placed)
}

/// Runs one race for each order, several at once, so that they also wait for each other.
async fn race<T>(orders: &[Uuid], run: impl AsyncFn(Uuid) -> Result<T>) -> Result<Vec<(Uuid, T)>> {
    let run = &run;
    stream::iter(orders)
        .map(|&id| async move { anyhow::Ok((id, run(id).await?)) })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

async fn post(service: &Service, id: Uuid, what: &str) -> Result<StatusCode> {
    head_start().await;
    let answer = service.post(&format!("/api/orders/{id}/{what}")).await?;
    Ok(answer.status)
}

/// Lets the others go first, or not.
async fn head_start() {
    tokio::time::sleep(Duration::from_micros(fastrand::u64(0..3_000))).await;
}

/// How many messages of each type were published about each order.
type Published = HashMap<Uuid, BTreeMap<String, i64>>;

async fn published(service: &Service) -> Result<Published> {
    let counted: Vec<(Uuid, String, i64)> = sqlx::query_as(
        "select order_id, substring(message_type from 'spillway.(.*).v1'), count(*)
         from (select message_type, convert_from(body, 'UTF8')::jsonb as body from messaging.outbox) message,
              lateral (select coalesce(body ->> 'order_id', body #>> '{order,id}')::uuid as order_id) key
         group by 1, 2",
    )
    .fetch_all(&service.pool)
    .await?;
    let mut published = Published::new();
    for (order, message, count) in counted {
        published.entry(order).or_default().insert(message, count);
    }
    Ok(published)
}

/// Which of the messages that end an order were published, as often as they were.
fn ends(published: &Published, id: Uuid) -> Result<Vec<&str>> {
    let of_order = published.get(&id).context("nothing was published")?;
    let is_end = |message: &str| {
        [
            "order-paid",
            "order-cancelled",
            "sell-stock",
            "release-stock",
        ]
        .contains(&message)
    };
    let ends = of_order.iter().filter(|(message, _)| is_end(message));
    Ok(ends
        .flat_map(|(message, count)| (0..*count).map(|_| message.as_str()))
        .collect())
}
