//! Between the commit of a transaction and the relay: from memory where that is possible, by a word where not.

use std::time::Duration;

use messaging::{Bus, Cause};
use sqlx::PgPool;

use crate::common::{QUEUE, Stage, eventually, parcel};

#[sqlx::test(migrations = false)]
async fn a_row_waits_in_the_table_only_if_no_relay_of_its_process_holds_its_shard(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let nobody_listens_here = "amqp://127.0.0.1:9/none".to_owned();
    stage.args.amqp_url = nobody_listens_here;
    stage.args.outbox_poll = Duration::from_secs(3600);
    let (with_relay, without) = (stage.another_bus()?, stage.another_bus()?);
    stage.start(|token| with_relay.rabbitmq_relay([], token));
    let waits = async |bus: &Bus, key: i64| {
        publish(bus, key).await?;
        let last = "select queued from messaging.outbox order by seq desc limit 1";
        anyhow::Ok(sqlx::query_scalar::<_, bool>(last).fetch_one(&pool).await?)
    };
    // Before the relay holds anything, all wait.
    let mut key = 0;
    eventually("a row that is handed over", async || {
        key += 1;
        Ok((!waits(&with_relay, key).await?).then_some(()))
    })
    .await?;
    assert!(!waits(&with_relay, key).await?);
    assert!(waits(&without, key).await?);
    // Behind one that waits and that the relay does not know, all others of its shard wait too.
    assert!(waits(&with_relay, key).await?);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_relay_hears_of_what_other_instances_write(pool: PgPool) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    stage.args.outbox_poll = Duration::from_secs(3600);
    let (one, other) = (stage.another_bus()?, stage.another_bus()?);
    stage.start(|token| one.rabbitmq_relay([], token));
    stage.start(|token| other.rabbitmq_relay([], token));
    eventually("two relays that share the shards", async || {
        let owners =
            "select count(distinct owner) from messaging.leases where transport = 'rabbitmq'";
        let owners: i64 = sqlx::query_scalar(owners).fetch_one(&pool).await?;
        Ok((owners == 2).then_some(()))
    })
    .await?;
    for number in 0..50 {
        publish(&one, number).await?;
    }
    for _ in 0..50 {
        stage.rabbitmq.take(QUEUE).await?;
    }
    stage.end().await
}

/// As after a crash between the commit and the word.
#[sqlx::test(migrations = false)]
async fn a_row_of_which_no_word_comes_is_found_by_the_renewal_of_the_leases(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    // Nobody speaks for a process without relays.
    let mute = stage.another_bus()?;
    stage.start(|token| stage.bus.rabbitmq_relay([], token));
    for number in 0..2 {
        eventually("a relay with all shards and an empty outbox", async || {
            let held = "select count(*) from messaging.leases where transport = 'rabbitmq' and owner is not null";
            let held: i64 = sqlx::query_scalar(held).fetch_one(&pool).await?;
            Ok((held == 8 && stage.outbox_size().await? == 0).then_some(()))
        })
        .await?;
        publish(&mute, number).await?;
        stage.rabbitmq.take(QUEUE).await?;
    }
    stage.end().await
}

/// Both brokers are away, so that nothing but the leases is looked at.
#[sqlx::test(migrations = false)]
async fn one_statement_renews_the_leases_of_both_relays_of_a_process(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    stage.args.amqp_url = "amqp://127.0.0.1:9/none".to_owned();
    stage.args.kafka.kafka_brokers = "127.0.0.1:9".to_owned();
    let bus = stage.another_bus()?;
    stage.start(|token| bus.rabbitmq_relay([], token));
    stage.start(|token| bus.kafka_relay([], token));
    eventually("leases that one transaction has renewed", async || {
        let renewed = "select count(*), count(distinct xmin::text) from messaging.leases where owner is not null";
        let renewed: (i64, i64) = sqlx::query_as(renewed).fetch_one(&pool).await?;
        Ok((renewed == (16, 1)).then_some(()))
    })
    .await?;
    stage.end().await
}

async fn publish(bus: &Bus, number: i64) -> anyhow::Result<()> {
    let mut tx = bus.begin().await?;
    let parcel = parcel(number.to_string(), number).via_queue(QUEUE);
    tx.publish(&Cause::none(), &parcel);
    Ok(tx.commit().await?)
}
