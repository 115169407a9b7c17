//! What is noted of orders.

use anyhow::{Context, Result};
use console::handlers::{RecordDecisions, RecordOrders};
use console::store::{self, Order};
use contracts::{OrderEvent, StockEvent, StockRefused};
use jiff::{SignedDuration, Timestamp};
use messaging::{Received, testing};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::samples::{EMAIL, cancelled, confirmed, now, paid, placed, rejected};

#[sqlx::test]
async fn an_order_is_what_its_newest_event_says_in_whatever_order_they_are_read(
    pool: PgPool,
) -> Result<()> {
    let bus = testing::bus("console", &pool).await?;
    let start = now();
    for sequence in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        for at_once in [false, true] {
            let events = history(start);
            let id = events[0].body.order().id;
            let events = sequence.map(|n| events[n].clone());
            match at_once {
                true => testing::handle_batch(&bus, &RecordOrders, &events).await?,
                false => {
                    for event in events {
                        testing::handle_batch(&bus, &RecordOrders, &[event]).await?;
                    }
                }
            }
            let expected = Order {
                id,
                version: 3,
                status: "paid".to_owned(),
                email: EMAIL.to_owned(),
                tier: "standard".to_owned(),
                total_cents: 450,
                currency: "EUR".to_owned(),
                placed_at: Some(start),
                decided_at: Some(start + SignedDuration::from_secs(1)),
                changed_at: start + SignedDuration::from_secs(2),
            };
            assert_eq!(order(&pool, id).await?, expected, "{sequence:?}");
        }
    }
    Ok(())
}

#[sqlx::test]
async fn an_order_whose_first_event_was_not_read_was_placed_nobody_knows_when(
    pool: PgPool,
) -> Result<()> {
    let bus = testing::bus("console", &pool).await?;
    let id = Uuid::now_v7();
    testing::handle(&bus, &RecordOrders, [cancelled(id)]).await?;
    let order = order(&pool, id).await?;
    assert_eq!((order.status.as_str(), order.version), ("cancelled", 3));
    assert_eq!((order.placed_at, order.decided_at), (None, None));
    Ok(())
}

#[sqlx::test]
async fn a_batch_that_comes_again_changes_nothing(pool: PgPool) -> Result<()> {
    let bus = testing::bus("console", &pool).await?;
    let batch = history(now());
    let id = batch[0].body.order().id;
    testing::handle_batch(&bus, &RecordOrders, &batch).await?;
    let before = order(&pool, id).await?;
    testing::handle_batch(&bus, &RecordOrders, &batch).await?;
    testing::handle_batch(&bus, &RecordOrders, &batch[..1]).await?;
    assert_eq!(order(&pool, id).await?, before);
    assert_eq!(store::facts_of(&pool, id).await?.len(), 3);
    Ok(())
}

#[sqlx::test]
async fn there_is_news_of_a_topic_that_was_created_anew_and_begins_at_its_first_place(
    pool: PgPool,
) -> Result<()> {
    let bus = testing::bus("console", &pool).await?;
    let mut before = store::news(&pool).await?;
    for offset in [1_000, 1_001, 0, 1] {
        let record = testing::record(3, offset, placed(Uuid::now_v7()));
        testing::handle_batch(&bus, &RecordOrders, &[record]).await?;
        let news = store::news(&pool).await?;
        assert!(news.0 > before.0, "{offset}");
        before = news;
    }
    Ok(())
}

#[sqlx::test]
async fn facts_tell_where_each_record_is_and_why(pool: PgPool) -> Result<()> {
    let bus = testing::bus("console", &pool).await?;
    let (id, refused_at) = (Uuid::now_v7(), now());
    let reason = "only 3 left".to_owned();
    let refused = StockEvent::StockRefused(StockRefused {
        order_id: id,
        reason,
    });
    let batch = [
        testing::record(1, 10, placed(id)),
        testing::record(1, 11, rejected(id, "none")),
    ];
    let [first, second] = batch;
    let (first, refused) = (
        at(first, refused_at - second_of(1)),
        at(testing::record(6, 2, refused), refused_at),
    );
    testing::handle_batch(
        &bus,
        &RecordOrders,
        &[at(second, refused_at + second_of(1)), first],
    )
    .await?;
    testing::handle_batch(&bus, &RecordDecisions, &[refused]).await?;

    let facts = store::facts_of(&pool, id).await?;
    let facts: Vec<_> = facts
        .iter()
        .map(|fact| {
            let place = (fact.topic.as_str(), fact.partition, fact.offset);
            (
                place,
                fact.message_type.as_str(),
                fact.version,
                fact.reason.as_deref(),
            )
        })
        .collect();
    let expected = [
        (
            ("order-events", 1, 10),
            "spillway.order-placed.v1",
            Some(1),
            None,
        ),
        (
            ("stock-events", 6, 2),
            "spillway.stock-refused.v1",
            None,
            Some("only 3 left"),
        ),
        (
            ("order-events", 1, 11),
            "spillway.order-rejected.v1",
            Some(2),
            Some("none"),
        ),
    ];
    assert_eq!(facts, expected);
    Ok(())
}

#[sqlx::test]
async fn facts_know_the_trace_that_they_belong_to(pool: PgPool) -> Result<()> {
    let bus = testing::bus("console", &pool).await?;
    let id = Uuid::now_v7();
    let traced = Received {
        cause: testing::cause("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ..testing::record(0, 1, placed(id))
    };
    testing::handle_batch(
        &bus,
        &RecordOrders,
        &[traced, testing::record(0, 2, confirmed(id))],
    )
    .await?;
    let facts = store::facts_of(&pool, id).await?;
    let trace = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128;
    assert_eq!(facts[0].trace_id, Some(trace.to_be_bytes().to_vec()));
    assert_eq!(facts[1].trace_id, None);
    Ok(())
}

#[sqlx::test]
async fn a_reason_that_no_database_can_store_is_noted_without_its_nul(pool: PgPool) -> Result<()> {
    let bus = testing::bus("console", &pool).await?;
    let id = Uuid::now_v7();
    let record = testing::record(0, 1, rejected(id, "no\0ne"));
    testing::handle_batch(&bus, &RecordOrders, &[record]).await?;
    let facts = store::facts_of(&pool, id).await?;
    assert_eq!(facts[0].reason.as_deref(), Some("none"));
    Ok(())
}

/// The events of one order, a second apart.
fn history(start: Timestamp) -> [Received<OrderEvent>; 3] {
    let id = Uuid::now_v7();
    // No two orders have one place.
    let offset = (id.as_u128() >> 80) as i64;
    let events = [placed(id), confirmed(id), paid(id)];
    let mut seconds = 0..;
    events.map(|event| {
        let second = seconds.next().unwrap_or_default();
        at(
            testing::record(0, offset + second, event),
            start + second_of(second),
        )
    })
}

fn at<M>(message: Received<M>, time: Timestamp) -> Received<M> {
    Received { time, ..message }
}

fn second_of(number: i64) -> SignedDuration {
    SignedDuration::from_secs(number)
}

async fn order(pool: &PgPool, id: Uuid) -> Result<Order> {
    store::order(pool, id).await?.context("no such order")
}
