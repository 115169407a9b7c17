//! What a producer can write into a queue whose library checks nothing.

use std::time::Duration;

use contracts::Message as _;
use lapin::types::AMQPValue;
use sqlx::PgPool;
use tokio::time::timeout;
use uuid::Uuid;

use crate::common::raw_amqp::{
    APP_ID, CONTENT_TYPE, CORRELATION_ID, HEADERS, MESSAGE_ID, REPLY_TO, TYPE, long, properties,
    short, table, text,
};
use crate::common::{PARCELS, Parcel, QUEUE, Stage, amqp_header, parcel, record_all};

/// Far below what a lost connection and its back-off would take a few times over.
const AT_ONCE: Duration = Duration::from_secs(20);

/// Properties that the broker takes and that lapin cannot read, with the reason of the dead letter.
fn unreadable() -> Vec<(Vec<u8>, &'static str)> {
    let not_utf8 = "the name of a header or another short text is not UTF-8";
    let nested = |depth: usize, with: fn(Vec<u8>) -> Vec<u8>| {
        let deep = (0..depth).fold(vec![b'V'], |inner, _| with(inner));
        properties(&[(HEADERS, table(&[(b"deep", deep)]))])
    };
    let of_array = |inner: Vec<u8>| [b"A", &long(&inner)[..]].concat();
    let of_table = |inner: Vec<u8>| [b"F", &table(&[(b"", inner)])[..]].concat();
    let mut all = vec![
        (
            properties(&[(HEADERS, table(&[(b"\xFF", text(b"a"))]))]),
            not_utf8,
        ),
        (
            properties(&[(
                HEADERS,
                table(&[(b"a\xC3", text(b"")), (b"in", of_table(text(b"a")))]),
            )]),
            not_utf8,
        ),
        (nested(40, of_table), "headers are nested more than 16 deep"),
        // More than the stack of lapin's thread has room for.
        (
            nested(20_000, of_array),
            "headers are nested more than 16 deep",
        ),
        (
            nested(12_000, of_table),
            "headers are nested more than 16 deep",
        ),
    ];
    for bit in [
        CONTENT_TYPE,
        CORRELATION_ID,
        REPLY_TO,
        MESSAGE_ID,
        TYPE,
        APP_ID,
    ] {
        all.push((properties(&[(bit, short(b"\xC3\x28"))]), not_utf8));
    }
    all
}

#[sqlx::test(migrations = false)]
async fn properties_that_cannot_be_read_cost_neither_a_neighbour_nor_the_connection(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let consumer = stage.bus.queue(QUEUE).batch(5);
    stage.start(|token| consumer.run("receive", record_all(), token));
    let subscription = stage.rabbitmq.consumer_tag(QUEUE).await?;
    let mut client = stage.rabbitmq.raw_client().await?;
    let unreadable = unreadable();
    for (number, (bad, _)) in (0..).zip(&unreadable) {
        assert!(
            client
                .publish((b"", QUEUE.as_bytes()), bad, b"body")
                .await?
        );
        let good = serde_json::to_vec(&parcel("alice", number))?;
        assert!(
            client
                .publish((b"", QUEUE.as_bytes()), &readable(), &good)
                .await?
        );
    }

    for (bad, why) in &unreadable {
        let dead = timeout(AT_ONCE, stage.rabbitmq.dead_letter())
            .await??
            .delivery;
        let header = |name| amqp_header(&dead.properties, name);
        let reason = format!("its properties cannot be read: {why}");
        assert_eq!(header("dead-letter-reason"), reason);
        assert_eq!(header("dead-letter-queue"), QUEUE);
        assert_eq!(header("dead-letter-attempts"), "1");
        assert_eq!(dead.data, b"body");
        let headers = dead.properties.headers().clone().unwrap_or_default();
        let Some(AMQPValue::ByteArray(bytes)) = headers.inner().get("unreadable-properties") else {
            anyhow::bail!("no properties in {headers:?}");
        };
        assert!(bad.starts_with(bytes.as_slice()) && bytes.len() >= bad.len().min(20_000));
    }
    let numbers: Vec<i64> = (0..).take(unreadable.len()).collect();
    assert_eq!(stage.numbers_after(numbers.len()).await?, numbers);
    assert_eq!(stage.rabbitmq.size("dead-letters").await?, 0);
    assert_eq!(stage.rabbitmq.consumer_tag(QUEUE).await?, subscription);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn what_comes_out_of_a_delay_queue_may_be_unreadable_or_larger_than_a_frame(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let consumer = stage.bus.queue(QUEUE);
    stage.start(|token| consumer.run("receive", record_all(), token));
    let subscription = stage.rabbitmq.consumer_tag(QUEUE).await?;
    let mut client = stage.rabbitmq.raw_client().await?;
    let delay_queue = format!("{QUEUE}.delay.100ms");
    // On its way the broker adds headers of its own, for which there is no room.
    let large = vec![b'x'; 130_900];
    for bad in [
        table(&[(b"\xFF", text(b"a"))]),
        table(&[(b"large", text(&large))]),
    ] {
        let bad = properties(&[(HEADERS, bad)]);
        assert!(
            client
                .publish((b"", delay_queue.as_bytes()), &bad, b"")
                .await?
        );
        let dead = timeout(AT_ONCE, stage.rabbitmq.dead_letter())
            .await??
            .delivery;
        let reason = amqp_header(&dead.properties, "dead-letter-reason");
        assert!(
            reason.starts_with("its properties cannot be read"),
            "{reason}"
        );
    }
    let good = serde_json::to_vec(&parcel("alice", 1))?;
    assert!(
        client
            .publish((b"", delay_queue.as_bytes()), &readable(), &good)
            .await?
    );
    assert_eq!(stage.numbers_after(1).await?, [1]);
    assert_eq!(stage.rabbitmq.consumer_tag(QUEUE).await?, subscription);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_routing_key_that_is_not_utf8_is_no_reason_not_to_handle_a_message(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let consumer = stage.bus.queue(QUEUE).bind(PARCELS, "#");
    stage.start(|token| consumer.run("receive", record_all(), token));
    let subscription = stage.rabbitmq.consumer_tag(QUEUE).await?;
    let mut client = stage.rabbitmq.raw_client().await?;
    let long = [b'\xE4'; 255];
    for (number, key) in (0..).zip([&b"to.\xFF"[..], &long, b"\xC3\xA4.\xC3", b""]) {
        let to = (PARCELS.name.as_bytes(), key);
        let good = serde_json::to_vec(&parcel("alice", number))?;
        assert!(client.publish(to, &readable(), &good).await?);
        assert!(client.publish(to, &readable(), b"no JSON").await?);
    }
    assert_eq!(stage.numbers_after(4).await?, [0, 1, 2, 3]);
    for key in ["to.?", &"?".repeat(255), "??.?", ""] {
        let dead = stage.rabbitmq.dead_letter().await?.delivery;
        assert_eq!(
            amqp_header(&dead.properties, "dead-letter-routing-key"),
            key
        );
    }
    assert_eq!(stage.rabbitmq.consumer_tag(QUEUE).await?, subscription);
    stage.end().await
}

/// The properties of a parcel with an id of its own.
fn readable() -> Vec<u8> {
    let id = Uuid::now_v7().to_string();
    properties(&[
        (MESSAGE_ID, short(id.as_bytes())),
        (TYPE, short(Parcel::TYPE.as_bytes())),
    ])
}
