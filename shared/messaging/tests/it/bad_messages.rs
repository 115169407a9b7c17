use contracts::Message as _;
use lapin::types::AMQPValue;
use rdkafka::message::OwnedHeaders;
use sqlx::PgPool;
use uuid::Uuid;

use crate::common::{Parcel, QUEUE, Stage, amqp_header, cloud_event, headers, parcel, record_all};

const ID: &str = "01939c6e-8f00-7000-8000-0123456789ab";
const GOOD: &str = r#"{"key":"alice","number":1}"#;

/// Id, type, body and why that can never be handled. An empty id or type is left out.
const BAD: [(&str, &str, &str, &str); 8] = [
    (
        ID,
        Parcel::TYPE,
        "no JSON",
        "malformed body of `test.parcel.v1`",
    ),
    (ID, Parcel::TYPE, "", "malformed body of `test.parcel.v1`"),
    (
        ID,
        Parcel::TYPE,
        r#"{"key":"alice","number":-1}"#,
        "invalid body of `test.parcel.v1`",
    ),
    (
        ID,
        "test.parcel.v2",
        GOOD,
        "unsupported version of message type `test.parcel.v2`",
    ),
    (
        ID,
        "test.letter.v1",
        GOOD,
        "unknown message type `test.letter.v1`",
    ),
    (
        "17",
        Parcel::TYPE,
        GOOD,
        "CloudEvents attribute `id` is not a UUID: `17`",
    ),
    (
        "",
        Parcel::TYPE,
        GOOD,
        "CloudEvents attribute `id` is missing",
    ),
    (ID, "", GOOD, "CloudEvents attribute `type` is missing"),
];

#[sqlx::test(migrations = false)]
async fn a_bad_message_in_a_queue_becomes_a_dead_letter_and_its_neighbours_are_handled(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    for (number, (id, message_type, body, _)) in (0..).zip(BAD) {
        let bad = cloud_event(id, message_type);
        stage.rabbitmq.send(QUEUE, bad, body.as_bytes()).await?;
        let good = cloud_event(&Uuid::now_v7().to_string(), Parcel::TYPE);
        let body = serde_json::to_vec(&parcel("alice", number))?;
        stage.rabbitmq.send(QUEUE, good, &body).await?;
    }
    let consumer = stage.bus.queue(QUEUE).batch(5);
    stage.start(|token| consumer.run("receive", record_all(), token));

    for (id, message_type, body, reason) in BAD {
        let dead = stage.rabbitmq.dead_letter().await?.delivery;
        let header = |name| amqp_header(&dead.properties, name);
        let said = header("dead-letter-reason");
        assert!(said.starts_with(reason), "`{said}` instead of `{reason}`");
        assert_eq!(header("dead-letter-queue"), QUEUE);
        assert_eq!(header("dead-letter-attempts"), "1");
        assert_eq!(header("cloudEvents:id"), id);
        assert_eq!(header("cloudEvents:type"), message_type);
        assert_eq!(header("x-custom"), "kept");
        assert_eq!(dead.data, body.as_bytes());
    }
    let numbers: Vec<i64> = (0..).take(BAD.len()).collect();
    assert_eq!(stage.numbers_after(BAD.len()).await?, numbers);
    assert_eq!(stage.rabbitmq.size("dead-letters").await?, 0);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_bad_record_in_a_topic_becomes_a_dead_letter_and_its_neighbours_are_handled(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(2).await?;
    let mut offsets = Vec::new();
    // An unknown type in a topic is nobody's business.
    let bad = BAD
        .iter()
        .filter(|bad| !bad.3.starts_with("unknown message type"));
    let bad: Vec<_> = bad.copied().collect();
    for (number, &(id, message_type, body, _)) in (0..).zip(&bad) {
        let bad = record_headers(id, message_type);
        offsets.push(topic.send(1, "bob", bad, body.as_bytes()).await?);
        let good = record_headers(&Uuid::now_v7().to_string(), Parcel::TYPE);
        let body = serde_json::to_vec(&parcel("alice", number))?;
        topic.send(1, "alice", good, &body).await?;
    }
    let consumer = stage.bus.topic(topic.topic).batch(5);
    stage.start(|token| consumer.run("receive", record_all(), token));

    for ((id, message_type, body, reason), offset) in bad.iter().copied().zip(offsets) {
        let dead = stage.rabbitmq.dead_letter().await?.delivery;
        let header = |name| amqp_header(&dead.properties, name);
        let said = header("dead-letter-reason");
        assert!(said.starts_with(reason), "`{said}` instead of `{reason}`");
        assert_eq!(header("dead-letter-topic"), topic.topic.name);
        assert_eq!(header("dead-letter-partition"), "1");
        assert_eq!(header("dead-letter-offset"), offset.to_string());
        let group = format!("tests.{}", topic.topic.name);
        assert_eq!(header("dead-letter-consumer-group"), group);
        assert_eq!(header("dead-letter-key"), "bob");
        assert_eq!(header("dead-letter-handler"), "receive");
        assert_eq!(header("dead-letter-attempts"), "1");
        assert_eq!(header("ce_id"), id);
        assert_eq!(header("ce_type"), message_type);
        assert_eq!(header("x-custom"), "kept");
        assert_eq!(dead.data, body.as_bytes());
    }
    let numbers: Vec<i64> = (0..).take(bad.len()).collect();
    assert_eq!(stage.numbers_after(bad.len()).await?, numbers);
    stage.end().await
}

/// The headers of a dead letter have to fit into one frame; otherwise the broker would close the
/// connection again and again, and nothing behind the message would ever be handled.
#[sqlx::test(migrations = false)]
async fn what_is_too_long_for_a_header_of_a_dead_letter_is_cut(pool: PgPool) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(1).await?;
    let long = "ä".repeat(100_000);
    let body = format!(r#"{{"key":"alice","number":"{long}"}}"#);
    let bad = record_headers(ID, Parcel::TYPE).insert(rdkafka::message::Header {
        key: "x-long",
        value: Some(&long),
    });
    topic.send(0, &long, bad, body.as_bytes()).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    let bad = cloud_event(ID, Parcel::TYPE);
    let mut headers = bad.headers().clone().unwrap_or_default();
    let long = lapin::types::LongString::from(&long[..14_000]);
    headers.insert("x-long".into(), AMQPValue::LongString(long));
    let bad = bad.with_headers(headers);
    stage.rabbitmq.send(QUEUE, bad, body.as_bytes()).await?;

    let consumer = stage.bus.queue(QUEUE);
    stage.start(|token| consumer.run("receive", record_all(), token));
    let consumer = stage.bus.topic(topic.topic);
    stage.start(|token| consumer.run("receive", record_all(), token));

    for _ in 0..2 {
        let dead = stage.rabbitmq.dead_letter().await?.delivery;
        let said = amqp_header(&dead.properties, "dead-letter-reason");
        assert!(said.starts_with("malformed body of `test.parcel.v1`"));
        assert_eq!(amqp_header(&dead.properties, "x-custom"), "kept");
        assert_eq!(dead.data, body.as_bytes());
    }
    stage.end().await
}

fn record_headers(id: &str, message_type: &str) -> OwnedHeaders {
    let all = [
        ("ce_id", id),
        ("ce_type", message_type),
        ("x-custom", "kept"),
    ];
    let given = all.into_iter().filter(|(_, value)| !value.is_empty());
    headers(&given.collect::<Vec<_>>())
}
