use messaging::{Failure, Handler, Received, Tx};
use sqlx::PgPool;

use crate::common::{Gate, Parcel, QUEUE, Stage, eventually, parcel, record, record_all};

#[sqlx::test(migrations = false)]
async fn a_stopped_consumer_of_a_queue_finishes_its_batch_and_leaves_the_rest(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let gate = Gate::default();
    let consumer = stage.bus.queue(QUEUE).batch(5);
    let slow = Slow(gate.clone());
    let running = stage.start(|token| consumer.run("receive", slow, token));
    stage.start(|token| stage.bus.rabbitmq_relay([], token));
    stage.publish((1..=50).map(|n| parcel("alice", n))).await?;

    gate.reached().await;
    running.cancel();
    gate.open();
    running.stop().await?;

    let handled = stage.effects().await?.len();
    assert!((1..=5).contains(&handled), "{handled} handled in one batch");
    stage.until_the_outbox_is_empty().await?;
    // What it has handled is gone. What was delivered and not handled comes back after the channel has ended.
    eventually("the rest is in the queue", async || {
        let left = stage.rabbitmq.size(QUEUE).await?;
        Ok((left as usize == 50 - handled).then_some(()))
    })
    .await?;

    let consumer = stage.bus.queue(QUEUE).batch(5);
    stage.start(|token| consumer.run("receive", record_all(), token));
    assert_eq!(sorted(stage.numbers_after(50).await?), all());
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_stopped_consumer_of_a_topic_finishes_its_batch_and_leaves_the_rest(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(1).await?;
    let gate = Gate::default();
    let consumer = stage.bus.topic(topic.topic).batch(5);
    let slow = Slow(gate.clone());
    let running = stage.start(|token| consumer.run("receive", slow, token));
    stage.start(|token| stage.bus.kafka_relay([topic.topic], token));
    let facts = (1..=50).map(|n| parcel("alice", n).via_topic(topic.topic));
    stage.publish(facts).await?;

    gate.reached().await;
    running.cancel();
    gate.open();
    running.stop().await?;

    let handled = stage.effects().await?.len();
    assert!((1..=5).contains(&handled), "{handled} handled in one batch");
    let group = format!("tests.{}", topic.topic.name);
    let committed = topic.committed(&group)?;
    assert_eq!(committed, [(0, i64::try_from(handled)?)].into());

    let consumer = stage.bus.topic(topic.topic).batch(5);
    stage.start(|token| consumer.run("receive", record_all(), token));
    assert_eq!(stage.numbers_after(50).await?, all());
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn what_a_stopped_relay_leaves_is_published_by_the_next(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let consumer = stage.bus.queue(QUEUE).batch(50);
    stage.start(|token| consumer.run("receive", record_all(), token));
    stage.rabbitmq.until_consumed(QUEUE).await?;
    for round in 0..10 {
        let relay = stage.start(|token| stage.bus.rabbitmq_relay([], token));
        let parcels = (1..=50).map(|n| parcel(n.to_string(), 50 * round + n));
        stage.publish(parcels).await?;
        relay.stop().await?;
    }
    stage.start(|token| stage.bus.rabbitmq_relay([], token));
    let numbers = sorted(stage.numbers_after(500).await?);
    assert_eq!(numbers, (1..=500).collect::<Vec<_>>());
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn everything_stops_while_the_brokers_are_away(pool: PgPool) -> anyhow::Result<()> {
    stops_with_brokers_at(&pool, "127.0.0.1:9").await
}

#[sqlx::test(migrations = false)]
async fn everything_stops_while_the_brokers_accept_connections_and_say_nothing(
    pool: PgPool,
) -> anyhow::Result<()> {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    stops_with_brokers_at(&pool, &silent.local_addr()?.to_string()).await
}

async fn stops_with_brokers_at(pool: &PgPool, address: &str) -> anyhow::Result<()> {
    let mut stage = Stage::new(pool).await?;
    let topic = stage.topic(1).await?.topic;
    stage.args.amqp_url = format!("amqp://{address}/none");
    stage.args.kafka.kafka_brokers = address.to_owned();
    let bus = stage.another_bus()?;
    let (queue, facts) = (bus.queue(QUEUE), bus.topic(topic));
    let running = [
        stage.start(|token| queue.run("receive", record_all(), token)),
        stage.start(|token| facts.run("receive", record_all(), token)),
        stage.start(|token| bus.rabbitmq_relay([], token)),
        stage.start(|token| bus.kafka_relay([topic], token)),
    ];
    let fact = parcel("alice", 2).via_topic(topic);
    stage.publish([parcel("alice", 1), fact]).await?;
    eventually("relays with all of their shards", async || {
        let held = "select count(*) from messaging.leases where owner is not null";
        let held: i64 = sqlx::query_scalar(held).fetch_one(pool).await?;
        Ok((held == 16).then_some(()))
    })
    .await?;
    for running in running {
        running.stop().await?;
    }
    assert_eq!(stage.outbox_size().await?, 2);
    stage.end().await
}

/// Waits at the gate with every message.
struct Slow(Gate);

impl Handler for Slow {
    type Message = Parcel;

    async fn handle(&self, tx: &mut Tx, message: &Received<Parcel>) -> Result<(), Failure> {
        self.0.pass().await;
        record(tx, message).await
    }
}

fn sorted(mut numbers: Vec<i64>) -> Vec<i64> {
    numbers.sort_unstable();
    numbers
}

fn all() -> Vec<i64> {
    (1..=50).collect()
}
