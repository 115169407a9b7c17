use std::collections::HashMap;

use messaging::{Cause, Failure, Handler, Received, Tx};
use sqlx::PgPool;

use crate::common::{
    Detour, Gate, Parcel, QUEUE, Stage, Trouble, eventually, parcel, record, record_all,
};

#[sqlx::test(migrations = false)]
async fn what_is_delivered_again_after_a_lost_connection_has_no_second_effect(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let gate = Gate::default();
    let handler = StopAt(50, gate.clone());
    let consumer = stage.bus.queue(QUEUE).batch(10);
    stage.start(|token| consumer.run("receive", handler, token));
    stage.start(|token| stage.bus.rabbitmq_relay([], token));
    stage.publish((1..=200).map(|n| parcel("alice", n))).await?;

    // The connection goes while a transaction is open, so that its acknowledgement must fail.
    gate.reached().await;
    stage.rabbitmq.close_connections("(consume)").await?;
    gate.open();

    let mut numbers = stage.numbers_after(200).await?;
    until_empty(&stage).await?;
    assert_eq!(stage.effects().await?.len(), 200);
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=200).collect::<Vec<_>>());
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn nothing_is_lost_or_overtaken_when_the_publishing_connection_is_lost(
    pool: PgPool,
) -> anyhow::Result<()> {
    const KEYS: i64 = 20;
    const VERSIONS: i64 = 150;
    let stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    stage.start(|token| stage.bus.rabbitmq_relay([], token));

    let write = async {
        for version in 1..=VERSIONS {
            let all = (1..=KEYS).map(|key| parcel(key.to_string(), version));
            stage.publish(all).await?;
        }
        anyhow::Ok(())
    };
    let cut = async {
        for _ in 0..3 {
            stage.rabbitmq.close_connections("(publish)").await?;
        }
        anyhow::Ok(())
    };
    tokio::try_join!(write, cut)?;
    stage.until_the_outbox_is_empty().await?;

    // Some may be there twice, but each version is first seen right after the one before.
    let mut seen: HashMap<String, i64> = HashMap::new();
    while seen.len() < KEYS as usize || seen.values().any(|last| *last < VERSIONS) {
        let message = stage.rabbitmq.take(QUEUE).await?;
        let parcel: Parcel = serde_json::from_slice(&message.delivery.data)?;
        let last = seen.entry(parcel.key).or_default();
        assert!(parcel.number <= *last + 1, "{} after {last}", parcel.number);
        *last = (*last).max(parcel.number);
    }
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_dead_letter_is_not_lost_with_the_publishing_connection(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let consumer = stage.bus.queue(QUEUE);
    let reject = crate::common::record_if(|_| Err(Failure::reject("no")));
    stage.start(|token| consumer.run("receive", reject, token));
    stage.start(|token| stage.bus.rabbitmq_relay([], token));
    stage.publish([parcel("alice", 1)]).await?;
    stage.rabbitmq.dead_letter().await?;

    stage.rabbitmq.close_connections("(publish)").await?;
    stage.publish([parcel("alice", 2)]).await?;

    let dead = stage.rabbitmq.dead_letter().await?;
    let parcel: Parcel = serde_json::from_slice(&dead.delivery.data)?;
    assert_eq!(parcel.number, 2);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_consumer_declares_its_queue_again_when_somebody_has_deleted_it(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let consumer = stage.bus.queue(QUEUE);
    stage.start(|token| consumer.run("receive", record_all(), token));
    stage.start(|token| stage.bus.rabbitmq_relay([], token));
    stage.publish([parcel("alice", 1)]).await?;
    stage.numbers_after(1).await?;

    let delete = lapin::options::QueueDeleteOptions::default();
    stage
        .rabbitmq
        .channel
        .queue_delete(QUEUE.into(), delete)
        .await?;
    stage.publish([parcel("alice", 2)]).await?;

    assert_eq!(stage.numbers_after(2).await?, [1, 2]);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn what_went_to_a_consumer_that_was_confirmed_too_late_is_handled_by_the_next(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    stage.start(|token| stage.bus.rabbitmq_relay([], token));
    stage.publish((1..=5).map(|n| parcel("alice", n))).await?;
    stage.until_the_outbox_is_empty().await?;

    // RabbitMQ gives all of them to the first consumer, which has given up by the time it is confirmed.
    let detour = Detour::to(stage.rabbitmq.address(), Trouble::LateConsumer).await?;
    stage.args.amqp_url = stage.rabbitmq.url_by(&detour.address);
    let consumer = stage.another_bus()?.queue(QUEUE).batch(10);
    stage.start(|token| consumer.run("receive", record_all(), token));

    let mut numbers = stage.numbers_after(5).await?;
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    until_empty(&stage).await?;
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_relay_whose_connection_confirms_nothing_publishes_on_another(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    let detour = Detour::to(stage.rabbitmq.address(), Trouble::NoConfirms).await?;
    stage.args.amqp_url = stage.rabbitmq.url_by(&detour.address);
    let bus = stage.another_bus()?;
    stage.start(|token| bus.rabbitmq_relay([], token));
    let mut tx = bus.begin().await?;
    tx.publish(&Cause::none(), &parcel("alice", 1));
    tx.commit().await?;

    stage.until_the_outbox_is_empty().await?;
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_service_starts_before_its_brokers(pool: PgPool) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    // A listener that is not there yet, and then leads to the broker.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    drop(listener);
    let url = stage.args.amqp_url.clone();
    let (before, place) = url.split_once('@').unwrap_or_default();
    let (broker, vhost) = place.split_once('/').unwrap_or_default();
    stage.args.amqp_url = format!("{before}@{address}/{vhost}");
    let bus = stage.another_bus()?;
    let consumer = bus.queue(QUEUE);
    stage.start(|token| consumer.run("receive", record_all(), token));
    stage.start(|token| bus.rabbitmq_relay([], token));
    let mut tx = bus.begin().await?;
    tx.publish(&Cause::none(), &parcel("alice", 1));
    tx.commit().await?;
    assert!(bus.rabbitmq_check()().await.is_err());

    let listener = tokio::net::TcpListener::bind(address).await?;
    let broker = broker.to_owned();
    let forward = tokio::spawn(async move {
        while let Ok((mut inside, _)) = listener.accept().await {
            let mut outside = tokio::net::TcpStream::connect(&broker).await?;
            tokio::spawn(
                async move { tokio::io::copy_bidirectional(&mut inside, &mut outside).await },
            );
        }
        anyhow::Ok(())
    });

    assert_eq!(stage.numbers_after(1).await?, [1]);
    bus.rabbitmq_check()().await?;
    stage.end().await?;
    forward.abort();
    Ok(())
}

/// Stops at one message until the gate opens.
struct StopAt(i64, Gate);

impl Handler for StopAt {
    type Message = Parcel;

    async fn handle(&self, tx: &mut Tx, message: &Received<Parcel>) -> Result<(), Failure> {
        if message.body.number == self.0 {
            self.1.pass().await;
        }
        record(tx, message).await
    }
}

/// Waits until nothing is left in the queue, not even with a consumer.
async fn until_empty(stage: &Stage) -> anyhow::Result<()> {
    eventually("an empty queue", async || {
        let left = stage.rabbitmq.unacknowledged(QUEUE).await?;
        Ok((left == 0).then_some(()))
    })
    .await
}
