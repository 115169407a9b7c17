use anyhow::Result;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span as Exported, Status};

use super::*;

const TRACE: [u8; 16] = [7; 16];

/// Far from being forgotten: in the year 2096.
const STARTED: u64 = 4_000_000_000_000_000_000;

#[sqlx::test]
async fn a_span_is_stored_with_who_has_done_it_and_what_is_known_of_it(pool: PgPool) -> Result<()> {
    let span = Exported {
        name: "process commands".to_owned(),
        parent_span_id: vec![9; 8],
        attributes: vec![
            text("messaging.system", "rabbitmq"),
            attribute("messaging.kafka.offset", any_value::Value::IntValue(812)),
            attribute("redelivered", any_value::Value::BoolValue(true)),
            attribute("bytes", any_value::Value::BytesValue(vec![1])),
        ],
        status: Some(Status {
            message: "no stock".to_owned(),
            code: 2,
        }),
        ..good(1)
    };
    let [stored] = &export(&pool, vec![span]).await?[..] else {
        anyhow::bail!("not one span");
    };
    assert_eq!(
        (stored.service.as_str(), stored.instance.as_str()),
        ("inventory", "host-1")
    );
    assert_eq!(
        (stored.name.as_str(), stored.duration_us),
        ("process commands", 1_500)
    );
    assert_eq!(stored.started_at.as_nanosecond(), i128::from(STARTED));
    assert_eq!(
        (&stored.trace_id[..], &stored.parent_id[..]),
        (&TRACE[..], &[9; 8][..])
    );
    assert_eq!(stored.error.as_deref(), Some("no stock"));
    let attributes = serde_json::json!({"messaging.system": "rabbitmq", "messaging.kafka.offset": 812, "redelivered": true});
    assert_eq!(
        serde_json::Value::from(stored.attributes.clone()),
        attributes
    );
    Ok(())
}

#[sqlx::test]
async fn garbage_is_dropped_and_what_comes_with_it_is_stored(pool: PgPool) -> Result<()> {
    let spans = vec![
        Exported {
            trace_id: Vec::new(),
            ..good(1)
        },
        Exported {
            trace_id: vec![7; 17],
            ..good(2)
        },
        Exported {
            span_id: vec![1; 7],
            ..good(3)
        },
        Exported {
            parent_span_id: vec![1; 9],
            ..good(4)
        },
        Exported {
            end_time_unix_nano: 1,
            ..good(5)
        },
        good(6),
        good(6),
        Exported::default(),
        Exported {
            end_time_unix_nano: u64::MAX,
            ..good(7)
        },
    ];
    let stored = export(&pool, spans).await?;
    let ids: Vec<_> = stored.iter().map(|span| span.span_id[7]).collect();
    assert_eq!(ids, [6]);
    Ok(())
}

#[sqlx::test]
async fn whatever_text_a_span_has_can_be_stored_and_is_short(pool: PgPool) -> Result<()> {
    let long = "ä".repeat(5_000);
    let mut attributes = vec![text("a\0b", "c\0d"), text("long", &long)];
    attributes.extend((0..100).map(|n| text(&format!("key-{n}"), "")));
    let span = Exported {
        name: "NUL\0".to_owned(),
        attributes,
        status: Some(Status {
            message: long,
            code: 2,
        }),
        ..good(1)
    };
    let stored = export(&pool, vec![span]).await?.remove(0);
    assert_eq!(
        (stored.name.as_str(), &stored.attributes["ab"]),
        ("NUL", &"cd".into())
    );
    assert_eq!(
        stored.attributes["long"]
            .as_str()
            .map(|text| text.chars().count()),
        Some(1_000)
    );
    assert_eq!(stored.error.map(|error| error.chars().count()), Some(1_000));
    assert_eq!(stored.attributes.len(), 32);
    Ok(())
}

#[sqlx::test]
async fn more_spans_than_can_wait_are_dropped_and_nobody_waits(pool: PgPool) -> Result<()> {
    let (receiver, waiting) = receiver();
    let spans = (0..WAITING + 100).map(|n| good(n as u64)).collect();
    receiver.export(Request::new(request(spans))).await?;
    assert_eq!(waiting.len(), WAITING);
    drop(receiver);
    store_spans(&pool, waiting).await;
    let count: i64 = sqlx::query_scalar("select count(*) from spans")
        .fetch_one(&pool)
        .await?;
    assert_eq!(count, 5_000);
    Ok(())
}

/// Stores what comes of these, and answers with what is stored.
async fn export(pool: &PgPool, spans: Vec<Exported>) -> Result<Vec<Span>> {
    let (receiver, waiting) = receiver();
    receiver
        .export(Request::new(ExportTraceServiceRequest::default()))
        .await?;
    receiver.export(Request::new(request(spans))).await?;
    // It ends when nobody can send any more.
    drop(receiver);
    store_spans(pool, waiting).await;
    Ok(store::spans_of(pool, &[TRACE.to_vec()]).await?)
}

fn receiver() -> (Receiver, mpsc::Receiver<Span>) {
    let (sender, waiting) = mpsc::channel(WAITING);
    (Receiver(Arc::new(sender)), waiting)
}

fn request(spans: Vec<Exported>) -> ExportTraceServiceRequest {
    let attributes = vec![
        text("service.name", "inventory"),
        text("service.instance.id", "host-1"),
    ];
    let resource = Resource {
        attributes,
        ..Resource::default()
    };
    let scope_spans = vec![ScopeSpans {
        spans,
        ..ScopeSpans::default()
    }];
    let of_service = ResourceSpans {
        resource: Some(resource),
        scope_spans,
        ..ResourceSpans::default()
    };
    ExportTraceServiceRequest {
        resource_spans: vec![of_service],
    }
}

fn good(id: u64) -> Exported {
    Exported {
        trace_id: TRACE.to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        start_time_unix_nano: STARTED,
        end_time_unix_nano: STARTED + 1_500_000,
        ..Exported::default()
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, any_value::Value::StringValue(value.to_owned()))
}

fn attribute(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
