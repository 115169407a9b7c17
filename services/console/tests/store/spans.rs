//! Spans, and the attempts that they tell of.

use anyhow::Result;
use console::store::{self, Span};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, json};
use sqlx::PgPool;

use crate::support::samples::now;

#[sqlx::test]
async fn a_trace_shows_its_first_spans_and_each_of_them_once(pool: PgPool) -> Result<()> {
    let start = now() - SignedDuration::from_secs(3_600);
    let spans: Vec<_> = (0..600)
        .map(|n| span(n, start + SignedDuration::from_secs(n)))
        .collect();
    store::save_spans(&pool, &spans).await?;
    store::save_spans(&pool, &spans[..10]).await?;
    let other = Span {
        trace_id: vec![9; 16],
        ..span(1, start)
    };
    store::save_spans(&pool, &[other]).await?;
    let shown = store::spans_of(&pool, &[vec![1; 16]]).await?;
    assert_eq!(shown.len(), 500);
    assert!(shown.iter().map(|span| span.started_at).is_sorted());
    assert_eq!(shown[0].started_at, start);
    assert_eq!(store::spans_of(&pool, &[]).await?.len(), 0);
    Ok(())
}

#[sqlx::test]
async fn spans_are_forgotten_after_a_day(pool: PgPool) -> Result<()> {
    let hours = [1, 23, 25, 48].map(SignedDuration::from_hours);
    let spans: Vec<_> = (0..)
        .zip(hours)
        .map(|(n, ago)| span(n, now() - ago))
        .collect();
    store::save_spans(&pool, &spans).await?;
    assert_eq!(store::forget_spans(&pool).await?, 2);
    assert_eq!(store::forget_spans(&pool).await?, 0);
    assert_eq!(store::spans_of(&pool, &[vec![1; 16]]).await?.len(), 2);
    Ok(())
}

#[sqlx::test]
async fn of_several_attempts_at_one_partition_the_last_one_counts(pool: PgPool) -> Result<()> {
    let start = now() - SignedDuration::from_secs(60);
    let attempt = |id: i64, partition: &str, failed: i64, error: &str| {
        let attributes = json!({"messaging.consumer.group.name": "notification.order-events",
            "messaging.destination.name": "order-events", "messaging.destination.partition.id": partition,
            "messaging.kafka.offset": 812, "spillway.attempts.failed": failed, "spillway.attempts.limit": 8});
        Span {
            attributes: attributes.as_object().cloned().unwrap_or_default(),
            error: Some(error.to_owned()),
            duration_us: 5_000_000,
            ..span(id, start + SignedDuration::from_secs(id))
        }
    };
    let old = now() - SignedDuration::from_mins(11);
    let long_ago = Span {
        started_at: old,
        ..attempt(9, "6", 1, "long ago")
    };
    let spans = [
        attempt(1, "3", 1, "once"),
        attempt(2, "3", 2, "twice"),
        attempt(3, "5", 1, "else"),
        long_ago,
    ];
    store::save_spans(&pool, &spans).await?;
    // Whatever comes over the network may have that name.
    store::save_spans(&pool, &[span(10, now())]).await?;

    let attempts = store::attempts(&pool).await?;
    let known: Vec<_> = attempts
        .iter()
        .map(|one| (one.partition, one.failed, one.error.as_deref()))
        .collect();
    assert_eq!(
        known,
        [(3, 2, Some("twice")), (5, 1, Some("else")), (-1, 0, None)]
    );
    let last = &attempts[0];
    assert_eq!(
        (last.group.as_str(), last.topic.as_str()),
        ("notification.order-events", "order-events")
    );
    assert_eq!((last.offset, last.limit), (812, 8));
    assert_eq!(last.until, start + SignedDuration::from_secs(7));
    Ok(())
}

fn span(id: i64, started_at: Timestamp) -> Span {
    Span {
        trace_id: vec![1; 16],
        span_id: id.to_be_bytes().to_vec(),
        parent_id: Vec::new(),
        name: "hold order-events".to_owned(),
        service: "order".to_owned(),
        instance: "host-1".to_owned(),
        started_at,
        duration_us: 1,
        attributes: Map::new(),
        error: None,
    }
}
