use contracts::Message as _;
use messaging::Cause;
use rdkafka::Message;
use sqlx::PgPool;
use uuid::Uuid;

use crate::common::{PARCELS, Parcel, QUEUE, Stage, amqp_header, header_of, parcel, record_all};

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[sqlx::test(migrations = false)]
async fn a_command_is_handled_and_leaves_the_outbox(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    stage.start(|token| stage.bus.rabbitmq_relay([PARCELS], token));
    let consumer = stage.bus.queue(QUEUE).bind(PARCELS, "by.*");
    stage.start(|token| consumer.run("receive", record_all(), token));

    let sent = parcel("alice", 1).via_exchange(PARCELS, "by.bike");
    stage.publish([sent]).await?;

    assert_eq!(stage.numbers_after(1).await?, [1]);
    assert_eq!(stage.inbox("receive").await?.len(), 1);
    stage.until_the_outbox_is_empty().await?;
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_fact_is_handled_and_leaves_the_outbox(pool: PgPool) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(2).await?.topic;
    stage.start(|token| stage.bus.kafka_relay([topic], token));
    let consumer = stage.bus.topic(topic);
    stage.start(|token| consumer.run("receive", record_all(), token));

    stage.publish([parcel("alice", 1).via_topic(topic)]).await?;

    assert_eq!(stage.numbers_after(1).await?, [1]);
    assert_eq!(stage.inbox("receive").await?.len(), 1);
    stage.until_the_outbox_is_empty().await?;
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_command_travels_as_a_persistent_cloudevent(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    let sent = parcel("alice", 7).via_queue(QUEUE);
    stage.publish([sent.clone()]).await?;
    let id = only_message(&stage).await?;
    stage.start(|token| stage.bus.rabbitmq_relay([], token));

    let delivery = stage.rabbitmq.take(QUEUE).await?.delivery;

    let properties = &delivery.properties;
    assert_eq!(properties.delivery_mode(), &Some(2));
    assert_eq!(properties.message_id(), &Some(id.to_string().into()));
    assert_eq!(properties.kind(), &Some(Parcel::TYPE.into()));
    assert_eq!(properties.content_type(), &Some("application/json".into()));
    let header = |name: &str| amqp_header(properties, name);
    assert_eq!(header("cloudEvents_specversion"), "1.0");
    assert_eq!(header("cloudEvents_id"), id.to_string());
    assert_eq!(header("cloudEvents_type"), Parcel::TYPE);
    assert_eq!(header("cloudEvents_source"), "/spillway/tests");
    header("cloudEvents_time").parse::<jiff::Timestamp>()?;
    assert_eq!(header("traceparent"), TRACEPARENT);
    assert_eq!(delivery.data, serde_json::to_vec(&sent)?);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_fact_travels_as_a_cloudevent(pool: PgPool) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(1).await?;
    let sent = parcel("alice", 7).via_topic(topic.topic);
    stage.publish([sent.clone()]).await?;
    let id = only_message(&stage).await?;
    stage.start(|token| stage.bus.kafka_relay([topic.topic], token));

    let record = topic.records()?.next().await?;

    let header = |name: &str| header_of(&record, name);
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("ce_specversion"), "1.0");
    assert_eq!(header("ce_id"), id.to_string());
    assert_eq!(header("ce_type"), Parcel::TYPE);
    assert_eq!(header("ce_source"), "/spillway/tests");
    header("ce_time").parse::<jiff::Timestamp>()?;
    assert_eq!(header("traceparent"), TRACEPARENT);
    assert_eq!(record.key(), Some("alice".as_bytes()));
    assert_eq!(record.payload(), Some(&*serde_json::to_vec(&sent)?));
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_transaction_that_does_not_commit_publishes_nothing(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let mut tx = stage.bus.begin().await?;
    tx.publish(&Cause::none(), &parcel("alice", 1));
    drop(tx);
    assert_eq!(stage.outbox_size().await?, 0);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn the_tables_can_be_migrated_by_many_instances_at_once(pool: PgPool) -> anyhow::Result<()> {
    let migrations = (0..4).map(|_| messaging::migrate(&pool));
    futures::future::try_join_all(migrations).await?;
    messaging::migrate(&pool).await?;
    Ok(())
}

/// The id of the one message in the outbox, which is given a trace context on the way.
async fn only_message(stage: &Stage) -> anyhow::Result<Uuid> {
    let id =
        sqlx::query_scalar("update messaging.outbox set traceparent = $1 returning message_id");
    Ok(id.bind(TRACEPARENT).fetch_one(&stage.pool).await?)
}
