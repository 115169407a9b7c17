use std::collections::HashMap;

use messaging::{Bus, Cause};
use rdkafka::Message;
use sqlx::PgPool;

use crate::common::{Parcel, Stage, TopicOfTest, parcel};

const KEYS: i64 = 12;
const WRITERS: usize = 4;
const TURNS: i64 = 60;

#[sqlx::test(migrations = false)]
async fn facts_of_one_key_are_seen_in_the_order_in_which_they_were_written(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(4).await?;
    create_counters(&pool).await?;
    let other = stage.another_bus()?;
    stage.start(|token| stage.bus.kafka_relay([topic.topic], token));
    stage.start(|token| other.kafka_relay([topic.topic], token));

    let writers = (0..WRITERS).map(|writer| write(&stage.bus, &topic, writer));
    futures::future::try_join_all(writers).await?;

    let last = i64::try_from(WRITERS)? * TURNS;
    let mut seen: HashMap<String, i64> = HashMap::new();
    let records = topic.records()?;
    while seen.len() < KEYS as usize || seen.values().any(|version| *version < last) {
        let record = records.next().await?;
        let parcel: Parcel = serde_json::from_slice(record.payload().unwrap_or_default())?;
        let version = seen.entry(parcel.key).or_default();
        assert!(
            parcel.number <= *version + 1,
            "{} seen after {version}",
            parcel.number
        );
        *version = (*version).max(parcel.number);
    }
    stage.until_the_outbox_is_empty().await?;
    stage.end().await
}

/// Raises every counter in turn, and tells about each in the transaction that raised it.
async fn write(bus: &Bus, topic: &TopicOfTest, writer: usize) -> anyhow::Result<()> {
    for turn in 0..TURNS * KEYS {
        // Each writer begins elsewhere, so that they meet now and then.
        let key = (turn + writer as i64) % KEYS;
        let mut tx = bus.begin().await?;
        let raise = "update counters set version = version + 1 where key = $1 returning version";
        let version = sqlx::query_scalar(raise);
        let version: i64 = version.bind(key).fetch_one(&mut *tx).await?;
        let fact = parcel(key.to_string(), version).via_topic(topic.topic);
        tx.publish(&Cause::none(), &fact);
        tx.commit().await?;
    }
    Ok(())
}

async fn create_counters(pool: &PgPool) -> anyhow::Result<()> {
    let create = "create table counters (key bigint primary key, version bigint not null)";
    sqlx::query(create).execute(pool).await?;
    let fill = "insert into counters select key, 0 from generate_series(0, $1 - 1) key";
    sqlx::query(fill).bind(KEYS).execute(pool).await?;
    Ok(())
}
