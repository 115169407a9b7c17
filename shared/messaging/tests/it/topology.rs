//! Queues, exchanges and bindings that somebody tidies away while everything runs.

use anyhow::anyhow;
use contracts::Message;
use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};
use messaging::Failure;
use sqlx::PgPool;
use uuid::Uuid;

use crate::common::{
    PARCELS, Parcel, QUEUE, Stage, cloud_event, eventually, parcel, record_all, record_if,
};

const DELAY: &str = "parcels-in.delay.100ms";

#[sqlx::test(migrations = false)]
async fn whatever_is_deleted_is_declared_again(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let consumer = stage.bus.queue(QUEUE).bind(PARCELS, "to.all");
    stage.start(|token| consumer.run("receive", record_all(), token));
    stage.start(|token| stage.bus.rabbitmq_relay([PARCELS], token));
    stage.rabbitmq.until_consumed(QUEUE).await?;
    let mut sent = Vec::new();
    for what in [
        format!("queues/VHOST/{QUEUE}"),
        "exchanges/VHOST/parcels".to_owned(),
        "exchanges/VHOST/parcels-in.own".to_owned(),
        format!("bindings/VHOST/e/parcels/q/{QUEUE}/to.all"),
        format!("bindings/VHOST/e/parcels-in.own/q/{QUEUE}/{QUEUE}"),
    ] {
        stage.rabbitmq.remove(&what).await?;
        for route in [false, true] {
            let number = i64::try_from(sent.len())?;
            let parcel = parcel("alice", number);
            sent.push(number);
            let parcel = if route {
                parcel.via_exchange(PARCELS, "to.all")
            } else {
                parcel.via_queue(QUEUE)
            };
            stage.publish([parcel]).await?;
        }
        let mut numbers = stage.numbers_after(sent.len()).await?;
        numbers.sort_unstable();
        assert_eq!(numbers, sent, "{what}");
    }
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_retry_whose_delay_queue_is_gone_waits_for_it(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let first = std::sync::atomic::AtomicBool::new(true);
    let handler = record_if(move |_| {
        if first.swap(false, std::sync::atomic::Ordering::Relaxed) {
            Err(Failure::retry(anyhow!("once more")))
        } else {
            Ok(())
        }
    });
    let consumer = stage.bus.queue(QUEUE);
    stage.start(|token| consumer.run("receive", handler, token));
    stage.start(|token| stage.bus.rabbitmq_relay([], token));
    stage.rabbitmq.until_consumed(QUEUE).await?;
    stage
        .rabbitmq
        .remove(&format!("queues/VHOST/{DELAY}"))
        .await?;

    stage.publish([parcel("alice", 1)]).await?;

    assert_eq!(stage.numbers_after(1).await?, [1]);
    stage.end().await
}

/// The broker puts the place for dead letters back by itself (`deploy/rabbitmq/start`); here the test does.
#[sqlx::test(migrations = false)]
async fn a_dead_letter_waits_until_there_is_a_place_for_it(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let consumer = stage.bus.queue(QUEUE);
    stage.start(|token| consumer.run("receive", record_all(), token));
    stage.rabbitmq.until_consumed(QUEUE).await?;
    stage.rabbitmq.remove("queues/VHOST/dead-letters").await?;
    let id = Uuid::now_v7().to_string();
    let properties = cloud_event(&id, Parcel::TYPE);
    stage.rabbitmq.send(QUEUE, properties, b"garbage").await?;
    let good = cloud_event(&Uuid::now_v7().to_string(), Parcel::TYPE);
    let body = serde_json::to_vec(&parcel("alice", 1))?;
    stage.rabbitmq.send(QUEUE, good, &body).await?;

    stage.rabbitmq.keep_dead_letters().await?;

    assert_eq!(
        stage.rabbitmq.dead_letter().await?.delivery.data,
        b"garbage"
    );
    assert_eq!(stage.numbers_after(1).await?, [1]);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_queue_with_other_arguments_is_reported_and_consumed_all_the_same(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let mut arguments = FieldTable::default();
    let classic = AMQPValue::LongString("classic".into());
    arguments.insert("x-queue-type".into(), classic);
    for queue in [QUEUE, DELAY] {
        let durable = QueueDeclareOptions::durable();
        let channel = &stage.rabbitmq.channel;
        channel
            .queue_declare(queue.into(), durable, arguments.clone())
            .await?;
    }
    let consumer = stage.bus.queue(QUEUE);
    stage.start(|token| consumer.run("receive", record_all(), token));
    stage.start(|token| stage.bus.rabbitmq_relay([], token));

    stage.publish([parcel("alice", 1)]).await?;
    assert_eq!(stage.numbers_after(1).await?, [1]);

    let check = stage.bus.topology_check();
    let Err(refused) = check().await else {
        anyhow::bail!("nothing is reported");
    };
    let refused = refused.to_string();
    for queue in [QUEUE, DELAY] {
        assert!(
            refused.contains(&format!("cannot declare queue `{queue}`")),
            "{refused}"
        );
    }

    for queue in [QUEUE, DELAY] {
        stage
            .rabbitmq
            .remove(&format!("queues/VHOST/{queue}"))
            .await?;
    }
    eventually("nothing is refused any more", async || {
        Ok(check().await.is_ok().then_some(()))
    })
    .await?;
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_broker_that_was_set_up_anew_and_empty_is_furnished_again(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let consumer = stage.bus.queue(QUEUE).bind(PARCELS, "to.all");
    stage.start(|token| consumer.run("receive", record_all(), token));
    stage.start(|token| stage.bus.rabbitmq_relay([PARCELS], token));
    stage.rabbitmq.until_consumed(QUEUE).await?;

    stage.rabbitmq.create_anew().await?;
    stage
        .publish([parcel("alice", 1).via_exchange(PARCELS, "to.all")])
        .await?;

    assert_eq!(stage.numbers_after(1).await?, [1]);
    stage.end().await
}
