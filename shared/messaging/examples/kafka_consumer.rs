//! Prints the topic `test-topic` from its first offset: `cargo run -p first-programs --example kafka_consumer [COUNT]`

use std::{env, pin::pin, process::exit, time::Duration};

use anyhow::Result;
use futures::StreamExt;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode::UnknownTopicOrPartition};
use rdkafka::{ClientConfig, Message};
use tokio::signal;
use uuid::Uuid;

#[tokio::main]
async fn main() -> Result<()> {
    // Ends after COUNT records, or on Ctrl-C.
    let count = env::args().nth(1);
    let count = count.map_or(Ok(usize::MAX), |n| n.parse())?;
    let brokers = env::var("KAFKA_BROKERS").unwrap_or_else(|_| "localhost:9092".into());
    let consumer: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", &brokers)
        // A group remembers how far it has read. A new group on every run remembers nothing, so this
        // program always shows the whole topic, and takes no partition away from anybody else.
        .set("group.id", format!("kafka_consumer-{}", Uuid::now_v7()))
        .set("enable.auto.commit", "false")
        // The default is to start with what is sent from now on.
        .set("auto.offset.reset", "earliest")
        .set("allow.auto.create.topics", "true")
        .create()?;

    // A Kafka client connects in the background and never gives up, so ask it something first. The
    // question also creates the topic where the broker allows that.
    if let Err(error) = consumer.fetch_metadata(Some("test-topic"), Duration::from_secs(5)) {
        let start = "`./dev up` or `docker compose up -d kafka`";
        // One line, rather than a backtrace: nothing is wrong with the program.
        eprintln!("No Kafka at {brokers}: {error}. Start it: {start}");
        exit(1);
    }
    consumer.subscribe(&["test-topic"])?;
    println!("Waiting for records. To exit press CTRL+C");

    let mut records = pin!(consumer.stream().take_until(signal::ctrl_c()).take(count));
    while let Some(record) = records.next().await {
        let record = match record {
            // The topic is still being made, or the first producer will make it.
            Err(KafkaError::MessageConsumption(UnknownTopicOrPartition)) => continue,
            record => record?,
        };
        // Order holds within a partition, not between them. Reading removes nothing.
        println!(
            "topic = {}, partition = {}, offset = {}, value = {}",
            record.topic(),
            record.partition(),
            record.offset(),
            String::from_utf8_lossy(record.payload().unwrap_or_default())
        );
    }
    println!("Stopped");
    Ok(())
}
