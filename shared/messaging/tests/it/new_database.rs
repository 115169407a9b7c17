use std::time::Duration;

use anyhow::Context;
use contracts::Message as _;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::time::timeout;
use uuid::Uuid;

use crate::common::{Parcel, Stage, TopicOfTest, eventually, headers, parcel, record_all};

#[sqlx::test(migrations = false)]
async fn a_database_that_has_never_read_a_topic_reads_it_from_its_beginning(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(2).await?;
    for number in 1..=3 {
        send(&topic, number).await?;
    }
    read(&stage, &topic, &[1, 2, 3]).await?;

    // The same tables go on where they were.
    send(&topic, 4).await?;
    read(&stage, &topic, &[1, 2, 3, 4]).await?;

    new_tables(&pool).await?;
    read(&stage, &topic, &[1, 2, 3, 4]).await?;
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn what_a_service_has_forgotten_it_reads_again(pool: PgPool) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(2).await?;
    for number in 1..=3 {
        send(&topic, number).await?;
    }
    read(&stage, &topic, &[1, 2, 3]).await?;

    stage.bus.nobody_consumes(&[topic.topic]).await?;
    let mut tx = pool.begin().await?;
    sqlx::query("delete from effects").execute(&mut *tx).await?;
    stage
        .bus
        .read_again(&mut tx, &[topic.topic], &["list"])
        .await?;
    tx.commit().await?;
    assert!(stage.effects().await?.is_empty());
    send(&topic, 4).await?;
    read(&stage, &topic, &[1, 2, 3, 4]).await?;
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_process_ends_when_its_tables_are_others_than_before(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let mut keeping = tokio::spawn(stage.bus.housekeeping(Default::default()));
    let ended = async {
        loop {
            new_tables(&pool).await?;
            if let Ok(ended) = timeout(Duration::from_secs(6), &mut keeping).await {
                return ended?;
            }
        }
    };
    let ended: anyhow::Result<()> = timeout(Duration::from_secs(60), ended).await?;
    let error = ended.err().context("it ended without an error")?;
    assert!(error.to_string().contains("tables"), "{error}");
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_service_that_starts_waits_for_a_database_that_is_too_busy(
    pool: PgPool,
) -> anyhow::Result<()> {
    let busy = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_millis(100))
        .connect_with(pool.connect_options().as_ref().clone())
        .await?;
    let only_one = busy.acquire().await?;
    let mut migrating = std::pin::pin!(messaging::migrate(&busy));

    // Many times longer than the pool waits.
    let gave_up = timeout(Duration::from_secs(2), &mut migrating).await;
    assert!(gave_up.is_err(), "{gave_up:?}");
    drop(only_one);
    migrating.await?;
    busy.close().await;
    Ok(())
}

/// Consumes until there are these effects and the group has committed them.
async fn read(stage: &Stage, topic: &TopicOfTest, numbers: &[i64]) -> anyhow::Result<()> {
    let consumer = stage.bus.topic(topic.topic).reading_all();
    let running = stage.start(|token| consumer.run("list", record_all(), token));
    let read = stage.numbers_after(numbers.len()).await?;
    assert_eq!(read, numbers);
    let group = format!("tests.{}", topic.topic.name);
    let expected = i64::try_from(numbers.len())?;
    eventually("committed offsets", async || {
        let committed = topic.committed(&group)?;
        Ok((committed.get(&0) == Some(&expected)).then_some(()))
    })
    .await?;
    running.stop().await
}

/// As after the database was dropped and created anew.
async fn new_tables(pool: &PgPool) -> anyhow::Result<()> {
    for statement in ["drop schema messaging cascade", "truncate effects"] {
        sqlx::query(statement).execute(pool).await?;
    }
    messaging::migrate(pool).await
}

async fn send(topic: &TopicOfTest, number: i64) -> anyhow::Result<()> {
    let id = Uuid::now_v7().to_string();
    let headers = headers(&[("ce_id", &id), ("ce_type", Parcel::TYPE)]);
    let body = serde_json::to_vec(&parcel("alice", number))?;
    topic.send(0, "alice", headers, &body).await?;
    Ok(())
}
