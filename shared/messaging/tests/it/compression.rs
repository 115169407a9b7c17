//! Records that are smaller on the wire than in memory.

use std::time::Duration;

use contracts::Message as _;
use rdkafka::message::OwnedHeaders;
use sqlx::PgPool;
use tokio::time::timeout;
use uuid::Uuid;

use crate::common::raw_kafka::raw_parcel;
use crate::common::{Parcel, Stage, amqp_header, headers, parcel, record_all};

/// Far below what it takes until a session is given up.
const AT_ONCE: Duration = Duration::from_secs(30);

#[sqlx::test(migrations = false)]
async fn records_of_every_codec_are_handled_whether_the_producer_or_the_topic_chose_it(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
    let mut number = 0;
    for codec in codecs {
        let of_topic = if codec == "none" {
            "uncompressed"
        } else {
            codec
        };
        let by_topic = stage
            .topic_with(1, &[("compression.type", of_topic)])
            .await?;
        let by_producer = stage.topic(1).await?;
        for (topic, chosen) in [(&by_topic, "none"), (&by_producer, codec)] {
            for _ in 0..3 {
                number += 1;
                let body = serde_json::to_vec(&parcel("a".repeat(1000), number))?;
                let config = [("compression.type", chosen), ("linger.ms", "5")];
                topic.send_with(&config, parcel_headers(), &body).await?;
            }
            let consumer = stage.bus.topic(topic.topic).batch(5);
            stage.start(|token| consumer.run("receive", record_all(), token));
        }
    }
    let mut numbers = timeout(AT_ONCE, stage.numbers_after(30)).await??;
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=30).collect::<Vec<_>>());
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_record_larger_than_rabbitmq_takes_becomes_a_dead_letter_that_is_cut(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(1).await?;
    // The limit of the topic is for what is compressed.
    let config = [
        ("compression.type", "gzip"),
        ("message.max.bytes", "40000000"),
    ];
    let body = vec![b' '; 17 * 1024 * 1024];
    topic.send_with(&config, parcel_headers(), &body).await?;
    topic.send_raw(0, &[raw_parcel(1)]).await?;
    let consumer = stage.bus.topic(topic.topic);
    stage.start(|token| consumer.run("receive", record_all(), token));
    let dead = timeout(AT_ONCE, stage.rabbitmq.dead_letter())
        .await??
        .delivery;
    let length = amqp_header(&dead.properties, "dead-letter-body-cut");
    assert_eq!(length, body.len().to_string());
    assert_eq!(dead.data.len(), 16 * 1024 * 1024);
    assert_eq!(stage.numbers_after(1).await?, [1]);
    stage.end().await
}

fn parcel_headers() -> OwnedHeaders {
    let id = Uuid::now_v7().to_string();
    headers(&[("ce_id", &id), ("ce_type", Parcel::TYPE)])
}
