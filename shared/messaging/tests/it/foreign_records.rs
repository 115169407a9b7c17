//! What a producer can write into a topic whose library checks nothing.

use std::time::Duration;

use contracts::Message as _;
use sqlx::PgPool;
use tokio::time::timeout;

use crate::common::raw_kafka::{RawRecord, raw_parcel};
use crate::common::{Parcel, Stage, amqp_header, record_all};

/// Far below what it takes until a session is given up.
const AT_ONCE: Duration = Duration::from_secs(30);

#[sqlx::test(migrations = false)]
async fn a_header_whose_name_is_not_utf8_is_ignored_and_counted_in_a_dead_letter(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(1).await?;
    let foreign = || (b"\xFF".to_vec(), Some(b"value".to_vec()));
    for number in 0..3 {
        let mut good = raw_parcel(number);
        good.headers.insert(0, foreign());
        good.headers.push(foreign());
        let mut bad = good.clone();
        bad.value = Some(b"no JSON".to_vec());
        topic.send_raw(0, &[good, bad]).await?;
    }
    let consumer = stage.bus.topic(topic.topic).batch(5);
    let running = stage.start(|token| consumer.run("receive", record_all(), token));

    assert_eq!(timeout(AT_ONCE, stage.numbers_after(3)).await??, [0, 1, 2]);
    for _ in 0..3 {
        let dead = timeout(AT_ONCE, stage.rabbitmq.dead_letter())
            .await??
            .delivery;
        let header = |name| amqp_header(&dead.properties, name);
        assert!(header("dead-letter-reason").starts_with("malformed body"));
        assert_eq!(header("unreadable-headers"), "2");
        assert_eq!(header("ce_type"), Parcel::TYPE);
    }
    running.stop().await?;
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn records_without_what_ours_have_become_dead_letters_that_say_so(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(1).await?;
    let without_value = RawRecord {
        value: None,
        ..raw_parcel(0)
    };
    let empty = RawRecord {
        value: Some(Vec::new()),
        ..raw_parcel(0)
    };
    let bare = RawRecord::default();
    let null = RawRecord {
        headers: vec![(b"ce_id".to_vec(), None), (b"ce_type".to_vec(), None)],
        ..raw_parcel(0)
    };
    let binary = RawRecord {
        headers: vec![(b"ce_id".to_vec(), Some(b"\xFF".to_vec()))],
        key: Some(b"\xFF".to_vec()),
        timestamp: 0,
        ..raw_parcel(0)
    };
    topic
        .send_raw(0, &[without_value, empty, bare, null, binary])
        .await?;
    let without_key = RawRecord {
        key: None,
        ..raw_parcel(7)
    };
    topic.send_raw(0, &[without_key]).await?;
    let consumer = stage.bus.topic(topic.topic).batch(10);
    stage.start(|token| consumer.run("receive", record_all(), token));

    for reason in [
        "the record has no value",
        "malformed body of `test.parcel.v1`",
        "the record has no value",
        "CloudEvents attribute `id` is missing",
        "CloudEvents attribute `id` is missing",
    ] {
        let dead = timeout(AT_ONCE, stage.rabbitmq.dead_letter())
            .await??
            .delivery;
        let said = amqp_header(&dead.properties, "dead-letter-reason");
        assert!(said.starts_with(reason), "`{said}` instead of `{reason}`");
    }
    assert_eq!(stage.numbers_after(1).await?, [7]);
    stage.end().await
}

/// The broker would obey some of these headers, or take them for ours, if a dead letter had them.
#[sqlx::test(migrations = false)]
async fn headers_named_like_those_of_a_broker_or_ours_hold_no_partition(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(1).await?;
    let names = [
        "CC",
        "BCC",
        "x-death",
        "x-delay",
        "x-delivery-count",
        "failed-attempts",
        "traceparent",
        "dead-letter-queue",
        "dead-letter-attempts",
        "cloudEvents_id",
        "unreadable-because",
    ];
    for name in names {
        let mut bad = RawRecord {
            value: Some(b"no JSON".to_vec()),
            ..raw_parcel(0)
        };
        bad.headers
            .push((name.as_bytes().to_vec(), Some(b"foreign".to_vec())));
        bad.headers.push((name.as_bytes().to_vec(), None));
        topic.send_raw(0, &[bad]).await?;
    }
    topic.send_raw(0, &[raw_parcel(1)]).await?;
    let consumer = stage.bus.topic(topic.topic).batch(5);
    stage.start(|token| consumer.run("receive", record_all(), token));

    for _ in names {
        let dead = timeout(AT_ONCE, stage.rabbitmq.dead_letter())
            .await??
            .delivery;
        let header = |name| amqp_header(&dead.properties, name);
        assert!(header("dead-letter-reason").starts_with("malformed body"));
        assert_eq!(header("dead-letter-queue"), "");
        assert_eq!(header("dead-letter-attempts"), "1");
        assert_eq!(header("dead-letter-topic"), topic.topic.name);
    }
    assert_eq!(stage.numbers_after(1).await?, [1]);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_dead_letter_keeps_what_fits_of_many_headers_and_a_long_key(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(1).await?;
    let mut many = RawRecord {
        key: Some(vec![b'k'; 65_536]),
        value: Some(Vec::new()),
        ..raw_parcel(0)
    };
    for number in 0..1000 {
        let name = format!("x-{number:04}-{}", "n".repeat(100));
        many.headers
            .push((name.into_bytes(), Some(vec![b'v'; 100])));
    }
    topic.send_raw(0, &[many, raw_parcel(1)]).await?;
    let consumer = stage.bus.topic(topic.topic);
    stage.start(|token| consumer.run("receive", record_all(), token));
    let dead = timeout(AT_ONCE, stage.rabbitmq.dead_letter())
        .await??
        .delivery;
    let header = |name: &str| amqp_header(&dead.properties, name);
    assert_eq!(header("ce_type"), Parcel::TYPE);
    assert_eq!(
        header(&format!("x-0000-{}", "n".repeat(100))),
        "v".repeat(100)
    );
    let cut = header("headers-cut");
    let count: usize = cut.split(' ').next().unwrap_or_default().parse()?;
    let kept = dead
        .properties
        .headers()
        .iter()
        .map(|kept| kept.inner().len())
        .sum::<usize>();
    assert!(count > 500 && count + kept > 1000, "{cut}, {kept} kept");
    assert_eq!(header("dead-letter-key"), "k".repeat(1024));
    assert_eq!(stage.numbers_after(1).await?, [1]);
    stage.end().await
}

/// A topic is read by whoever cares: what they do not know may be for others.
#[sqlx::test(migrations = false)]
async fn an_unknown_type_in_a_topic_is_settled_and_an_unknown_version_is_a_dead_letter(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(1).await?;
    for (number, message_type) in (0..).zip([
        "test.letter.v1",
        "test.parcel.video",
        "test.parcel",
        "",
        "test.parcel.v2",
        Parcel::TYPE,
    ]) {
        let mut unknown = raw_parcel(number);
        unknown.headers[1].1 = Some(message_type.as_bytes().to_vec());
        topic.send_raw(0, &[unknown]).await?;
    }
    let group = format!("tests.{}", topic.topic.name);
    let consumer = stage.bus.topic(topic.topic).batch(10);
    let running = stage.start(|token| consumer.run("receive", record_all(), token));
    let dead = stage.rabbitmq.dead_letter().await?.delivery;
    assert_eq!(
        amqp_header(&dead.properties, "dead-letter-reason"),
        "unsupported version of message type `test.parcel.v2`, supported: test.parcel.v1"
    );
    assert_eq!(stage.numbers_after(1).await?, [5]);
    running.stop().await?;
    assert_eq!(stage.rabbitmq.size("dead-letters").await?, 0);
    assert_eq!(topic.committed(&group)?, [(0, 6)].into());
    stage.end().await
}
