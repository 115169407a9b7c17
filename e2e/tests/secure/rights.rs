//! What each service may do at the brokers: what it has to, and nothing else.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use harness::is_refused;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeleteOptions};
use lapin::{BasicProperties, Connection};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::metadata::MetadataTopic;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use sqlx::postgres::PgSslMode;

use crate::clients::{TIMEOUT, authority, kafka, postgres, rabbitmq};

const SERVICES: [&str; 4] = ["order", "inventory", "notification", "console"];
/// Each topic, who owns it, and who else reads it.
const TOPICS: [(&str, &str, &[&str]); 4] = [
    ("order-events", "order", &["notification", "console"]),
    ("stock-events", "inventory", &["order", "console"]),
    ("products", "inventory", &["order", "console"]),
    ("stock-levels", "inventory", &["console"]),
];

/// An owner is not tried out, because whatever it wrote would be read.
#[tokio::test]
async fn no_service_writes_into_a_topic_that_is_not_its_own() -> Result<()> {
    for user in SERVICES {
        for (topic, owner, _) in TOPICS {
            if user != owner {
                let refused = write(user, topic).await?;
                assert_eq!(
                    refused,
                    Some(RDKafkaErrorCode::TopicAuthorizationFailed),
                    "{user} {topic}"
                );
            }
        }
        let refused = write(user, "a-topic-of-nobody").await?;
        ensure!(refused.is_some(), "{user} has made a topic");
    }
    Ok(())
}

#[tokio::test]
async fn no_service_reads_a_topic_that_is_not_meant_for_it() -> Result<()> {
    for user in SERVICES {
        for (topic, _, readers) in TOPICS {
            let config = kafka(user, &authority()?)?;
            let read = tokio::task::spawn_blocking(move || read(config, topic, user)).await??;
            assert_eq!(read, readers.contains(&user), "{user} {topic}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn no_service_reads_in_a_group_of_another_one() -> Result<()> {
    let commits = async |user: &'static str, group: &'static str| -> Result<bool> {
        let mut config = kafka(user, &authority()?)?;
        config.set("group.id", group);
        tokio::task::spawn_blocking(move || {
            let consumer: BaseConsumer = config.create()?;
            let mut place = TopicPartitionList::new();
            place.add_partition("stock-events", 0);
            let committed = consumer.committed_offsets(place, TIMEOUT);
            Ok(committed.is_ok_and(|list| list.elements().iter().all(|one| one.error().is_ok())))
        })
        .await?
    };
    ensure!(commits("order", "order.stock-events").await?);
    ensure!(!commits("order", "console.stock-events").await?);
    Ok(())
}

#[tokio::test]
async fn no_service_writes_into_a_queue_of_another_one_or_deletes_dead_letters() -> Result<()> {
    for user in ["order", "inventory", "notification"] {
        let connection = rabbitmq(user, &authority()?).await?;
        for (owner, queue) in [
            ("order", "order.payment-deadlines"),
            ("inventory", "inventory.stock-commands"),
            ("notification", "notification.email"),
        ] {
            is_refused(publish(&connection, "", queue).await)?;
            if owner != user {
                is_refused(publish(&connection, &format!("{owner}.own"), queue).await)?;
            }
        }
        let channel = connection.create_channel().await?;
        let delete = QueueDeleteOptions::default();
        is_refused(channel.queue_delete("dead-letters".into(), delete).await)?;
    }
    Ok(())
}

#[tokio::test]
async fn no_service_enters_the_database_of_another_one() -> Result<()> {
    for user in SERVICES {
        for database in SERVICES {
            let entered = postgres(user, database, PgSslMode::VerifyFull, &authority()?).await;
            assert_eq!(entered.is_ok(), user == database, "{user} {database}");
        }
    }
    Ok(())
}

/// Why Kafka does not take a record, if it does not.
async fn write(user: &str, topic: &str) -> Result<Option<RDKafkaErrorCode>> {
    let mut config = kafka(user, &authority()?)?;
    config.set("message.timeout.ms", "10000");
    let producer: FutureProducer = config.create()?;
    let record = FutureRecord::to(topic).key("none").payload("{}");
    match producer.send(record, Duration::ZERO).await {
        Ok(_) => Ok(None),
        Err((KafkaError::MessageProduction(code), _)) => Ok(Some(code)),
        Err((error, _)) => bail!(error),
    }
}

/// Whether a record of the topic can be fetched, or its end is told. Blocks the thread.
fn read(mut config: ClientConfig, topic: &str, user: &str) -> Result<bool> {
    config.set("group.id", format!("{user}.test"));
    config.set("enable.partition.eof", "true");
    let consumer: BaseConsumer = config.create()?;
    // Of a topic that may not even be seen, a consumer hears nothing for half a minute.
    let seen = consumer.fetch_metadata(Some(topic), TIMEOUT)?;
    let unseen = seen.topics().iter().find_map(MetadataTopic::error);
    match unseen.map(RDKafkaErrorCode::from) {
        None => {}
        Some(RDKafkaErrorCode::TopicAuthorizationFailed) => return Ok(false),
        Some(other) => bail!("{topic} for {user}: {other}"),
    }
    let mut place = TopicPartitionList::new();
    place.add_partition_offset(topic, 0, Offset::Beginning)?;
    consumer.assign(&place)?;
    match consumer.poll(TIMEOUT) {
        Some(Ok(record)) => Ok(record.topic() == topic),
        Some(Err(KafkaError::PartitionEOF(_))) => Ok(true),
        Some(Err(error)) => match error.rdkafka_error_code() {
            // Who reads no topic has no group either.
            Some(
                RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownPartition,
            ) => Ok(false),
            _ => bail!(error),
        },
        None => bail!("Kafka says nothing about {topic} to {user}"),
    }
}

async fn publish(connection: &Connection, exchange: &str, key: &str) -> lapin::Result<()> {
    let channel = connection.create_channel().await?;
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await?;
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    let published = channel.basic_publish(exchange.into(), key.into(), options, b"{}", properties);
    published.await?.await.map(drop)
}
