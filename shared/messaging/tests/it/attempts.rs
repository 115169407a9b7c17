//! Who counts attempts: only the consumer, and only until a message is a dead letter.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::anyhow;
use contracts::{DecodeError, Inbound, Message as _};
use lapin::types::{AMQPValue, FieldArray, FieldTable};
use messaging::{Failure, Handler, Received, Tx};
use sqlx::PgPool;
use uuid::Uuid;

use crate::common::{
    Parcel, QUEUE, Stage, amqp_header, cloud_event, headers, parcel, record_all, record_if,
};

const DELAYS: [Duration; 3] = [Duration::from_millis(100); 3];

#[sqlx::test(migrations = false)]
async fn a_dead_letter_that_is_put_back_with_its_headers_has_all_its_attempts(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::with_retry_delays(&pool, &DELAYS).await?;
    let (attempts, handler) = never();
    let consumer = stage.bus.queue(QUEUE);
    stage.start(|token| consumer.run("receive", handler, token));
    stage.rabbitmq.until_consumed(QUEUE).await?;
    let body = serde_json::to_vec(&parcel("alice", 1))?;
    let mut properties = cloud_event(&Uuid::now_v7().to_string(), Parcel::TYPE);
    for round in 1..=3 {
        stage.rabbitmq.send(QUEUE, properties, &body).await?;
        let dead = stage.rabbitmq.dead_letter().await?.delivery;
        assert_eq!(amqp_header(&dead.properties, "dead-letter-attempts"), "4");
        assert_eq!(attempts.load(Ordering::SeqCst), 4 * round);
        properties = dead.properties;
    }
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn what_a_producer_says_about_attempts_uses_up_none(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::with_retry_delays(&pool, &DELAYS).await?;
    let (attempts, handler) = never();
    let consumer = stage.bus.queue(QUEUE);
    stage.start(|token| consumer.run("receive", handler, token));
    stage.rabbitmq.until_consumed(QUEUE).await?;
    let counts = [
        AMQPValue::LongUInt(3),
        AMQPValue::LongUInt(u32::MAX),
        AMQPValue::LongInt(-1),
        AMQPValue::LongLongInt(i64::MAX),
        AMQPValue::LongString("3".into()),
        AMQPValue::FieldTable(FieldTable::default()),
        AMQPValue::Void,
    ];
    for (round, count) in (1..).zip(counts) {
        let properties = cloud_event(&Uuid::now_v7().to_string(), Parcel::TYPE);
        let mut headers = properties.headers().clone().unwrap_or_default();
        for name in [
            "failed-attempts",
            "dead-letter-attempts",
            "x-death",
            "traceparent",
        ] {
            headers.insert(name.into(), count.clone());
        }
        let body = serde_json::to_vec(&parcel("alice", 1))?;
        let properties = properties.with_headers(headers);
        stage.rabbitmq.send(QUEUE, properties, &body).await?;
        let dead = stage.rabbitmq.dead_letter().await?.delivery;
        assert_eq!(amqp_header(&dead.properties, "dead-letter-attempts"), "4");
        assert_eq!(attempts.load(Ordering::SeqCst), 4 * round, "{count:?}");
    }
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn the_copies_that_a_producer_asked_for_are_made_once(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::with_retry_delays(&pool, &DELAYS).await?;
    stage.rabbitmq.declare("copies").await?;
    let consumer = stage.bus.queue(QUEUE);
    stage.start(|token| consumer.run("receive", never().1, token));
    stage.rabbitmq.until_consumed(QUEUE).await?;
    let properties = cloud_event(&Uuid::now_v7().to_string(), Parcel::TYPE);
    let mut headers = properties.headers().clone().unwrap_or_default();
    let copies = FieldArray::from(vec![AMQPValue::LongString("copies".into())]);
    headers.insert("CC".into(), AMQPValue::FieldArray(copies));
    let body = serde_json::to_vec(&parcel("alice", 1))?;
    let properties = properties.with_headers(headers);
    stage.rabbitmq.send(QUEUE, properties, &body).await?;
    let dead = stage.rabbitmq.dead_letter().await?.delivery;
    assert_eq!(amqp_header(&dead.properties, "dead-letter-attempts"), "4");
    assert_eq!(stage.rabbitmq.size("copies").await?, 1);
    stage.end().await
}

/// Parcels, and bodies that its decoder does not survive.
#[derive(Debug, Clone)]
struct Fragile(Parcel);

impl Inbound for Fragile {
    const TYPES: &'static [&'static str] = Parcel::TYPES;

    fn decode(message_type: &str, body: &[u8]) -> Result<Self, DecodeError> {
        Parcel::decode(message_type, &body[body.len() - 26..]).map(Self)
    }
}

/// Records the parcel inside.
struct Unpack<H>(H);

impl<H: Handler<Message = Parcel>> Handler for Unpack<H> {
    type Message = Fragile;

    async fn handle(&self, tx: &mut Tx, message: &Received<Fragile>) -> Result<(), Failure> {
        let parcel = Received {
            id: message.id,
            time: message.time,
            cause: message.cause.clone(),
            position: message.position,
            body: message.body.0.clone(),
        };
        self.0.handle(tx, &parcel).await
    }
}

#[sqlx::test(migrations = false)]
async fn a_panic_while_a_message_is_decoded_ends_that_message_and_nothing_else(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    let topic = stage.topic(1).await?;
    let good = serde_json::to_vec(&parcel("alice", 1))?;
    for body in [&b"short"[..], &good] {
        let id = Uuid::now_v7().to_string();
        let event = cloud_event(&id, Parcel::TYPE);
        stage.rabbitmq.send(QUEUE, event, body).await?;
        let id = Uuid::now_v7().to_string();
        let event = headers(&[("ce_id", &id), ("ce_type", Parcel::TYPE)]);
        topic.send(0, "alice", event, body).await?;
    }
    let queue = stage.bus.queue(QUEUE).batch(5);
    stage.start(|token| queue.run("receive", Unpack(record_all()), token));
    let records = stage.bus.topic(topic.topic).batch(5);
    stage.start(|token| records.run("receive", Unpack(record_all()), token));
    for _ in 0..2 {
        let dead = stage.rabbitmq.dead_letter().await?.delivery;
        let reason = amqp_header(&dead.properties, "dead-letter-reason");
        assert!(reason.starts_with("it panicked: "), "{reason}");
        assert_eq!(dead.data, b"short");
    }
    assert_eq!(stage.numbers_after(2).await?, [1, 1]);
    stage.end().await
}

/// A handler that fails each time, and how often it has.
fn never() -> (Arc<AtomicU32>, impl Handler<Message = Parcel>) {
    let attempts = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&attempts);
    let handler = record_if(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        Err(Failure::retry(anyhow!("never")))
    });
    (attempts, handler)
}
