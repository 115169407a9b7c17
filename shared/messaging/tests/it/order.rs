use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use messaging::{Bus, Cause};
use rdkafka::Message;
use sqlx::PgPool;

use crate::common::{Parcel, Stage, TopicOfTest, eventually, parcel};

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
    let last: Vec<_> = (0..KEYS).map(|key| (key, last)).collect();
    are_seen_in_order(&topic, &last).await?;
    stage.until_the_outbox_is_empty().await?;
    stage.end().await
}

/// What a relay has from memory, what it finds in the table, and what others write for its shards are one
/// sequence, also while shards go from one relay to another.
#[sqlx::test(migrations = false)]
async fn facts_keep_their_order_while_relays_come_and_go(pool: PgPool) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(4).await?;
    create_counters(&pool).await?;
    // Nothing is found by chance.
    stage.args.outbox_poll = Duration::from_secs(3600);
    let (bus, other) = (stage.another_bus()?, stage.another_bus()?);
    let stays = stage.start(|token| bus.kafka_relay([topic.topic], token));
    let ends = stage.start(|token| other.kafka_relay([topic.topic], token));
    until_relays(&stage, 2).await?;

    let written = AtomicBool::new(false);
    let writers = (0..WRITERS).map(async |writer| {
        let bus = [&bus, &other][writer % 2];
        while !written.load(Relaxed) {
            write_once(bus, &topic, fastrand::i64(0..KEYS)).await?;
        }
        anyhow::Ok(())
    });
    let relays = async {
        for _ in 0..2 {
            until_handed_over(&stage).await?;
            let another = stage.another_bus()?;
            let relay = stage.start(|token| another.kafka_relay([topic.topic], token));
            until_relays(&stage, 3).await?;
            until_handed_over(&stage).await?;
            relay.stop().await?;
        }
        ends.crash().await;
        until_relays(&stage, 1).await?;
        until_handed_over(&stage).await?;
        written.store(true, Relaxed);
        anyhow::Ok(())
    };
    tokio::try_join!(futures::future::try_join_all(writers), relays)?;

    let last: Vec<(i64, i64)> = sqlx::query_as("select key, version from counters")
        .fetch_all(&pool)
        .await?;
    are_seen_in_order(&topic, &last).await?;
    stage.until_the_outbox_is_empty().await?;
    stays.stop().await?;
    stage.end().await
}

/// The clock is set back by an hour between the first fact and those that follow.
#[sqlx::test(migrations = false)]
async fn a_step_of_the_clock_changes_no_order(pool: PgPool) -> anyhow::Result<()> {
    const VERSIONS: i64 = 20;
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(1).await?;
    create_counters(&pool).await?;
    write_once(&stage.bus, &topic, 0).await?;
    let step = sqlx::query(
        "update messaging.outbox
         set created_at = created_at + interval '1 hour', available_at = available_at + interval '1 hour'",
    );
    step.execute(&pool).await?;
    for _ in 1..VERSIONS {
        write_once(&stage.bus, &topic, 0).await?;
    }
    stage.start(|token| stage.bus.kafka_relay([topic.topic], token));

    are_seen_in_order(&topic, &[(0, VERSIONS)]).await?;
    stage.until_the_outbox_is_empty().await?;
    stage.end().await
}

/// Reads until the last fact of every key is there. One may come again, but none before an earlier one.
async fn are_seen_in_order(topic: &TopicOfTest, last: &[(i64, i64)]) -> anyhow::Result<()> {
    let mut seen: HashMap<String, i64> = HashMap::new();
    let records = topic.records()?;
    let is_missing = |seen: &HashMap<String, i64>, (key, version): &(i64, i64)| {
        seen.get(&key.to_string()).copied().unwrap_or_default() < *version
    };
    while last.iter().any(|last| is_missing(&seen, last)) {
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
    Ok(())
}

/// Waits until so many relays hold shards.
async fn until_relays(stage: &Stage, relays: i64) -> anyhow::Result<()> {
    eventually("relays that hold shards", async || {
        let owners = sqlx::query_scalar(
            "select count(distinct owner) from messaging.leases
             where transport = 'kafka' and owner is not null and expires_at > clock_timestamp()",
        );
        let owners: i64 = owners.fetch_one(&stage.pool).await?;
        Ok((owners == relays).then_some(()))
    })
    .await
}

/// Waits until rows of several shards were handed over since now.
async fn until_handed_over(stage: &Stage) -> anyhow::Result<()> {
    let mut shards = HashSet::new();
    eventually("rows that are handed over", async || {
        let handed = "select distinct shard from messaging.outbox where not queued";
        let handed: Vec<i16> = sqlx::query_scalar(handed).fetch_all(&stage.pool).await?;
        shards.extend(handed);
        Ok((shards.len() > 2).then_some(()))
    })
    .await
}

/// Raises every counter in turn, and tells about each in the transaction that raised it.
async fn write(bus: &Bus, topic: &TopicOfTest, writer: usize) -> anyhow::Result<()> {
    for turn in 0..TURNS * KEYS {
        // Each writer begins elsewhere, so that they meet now and then.
        write_once(bus, topic, (turn + writer as i64) % KEYS).await?;
    }
    Ok(())
}

async fn write_once(bus: &Bus, topic: &TopicOfTest, key: i64) -> anyhow::Result<()> {
    let mut tx = bus.begin().await?;
    let raise = "update counters set version = version + 1 where key = $1 returning version";
    let version = sqlx::query_scalar(raise);
    let version: i64 = version.bind(key).fetch_one(&mut *tx).await?;
    let fact = parcel(key.to_string(), version).via_topic(topic.topic);
    tx.publish(&Cause::none(), &fact);
    Ok(tx.commit().await?)
}

async fn create_counters(pool: &PgPool) -> anyhow::Result<()> {
    let create = "create table counters (key bigint primary key, version bigint not null)";
    sqlx::query(create).execute(pool).await?;
    let fill = "insert into counters select key, 0 from generate_series(0, $1 - 1) key";
    sqlx::query(fill).bind(KEYS).execute(pool).await?;
    Ok(())
}
