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

async fn publish(bus: &Bus, number: i64) -> anyhow::Result<()> {
    let mut tx = bus.begin().await?;
    let parcel = parcel(number.to_string(), number).via_queue(QUEUE);
    tx.publish(&Cause::none(), &parcel);
    Ok(tx.commit().await?)
}
