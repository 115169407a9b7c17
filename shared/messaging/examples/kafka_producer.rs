//! Sends "Hello Kafka!" to the topic `test-topic`: `cargo run -p first-programs --example kafka_producer`

use std::{env, process::exit, time::Duration};

use anyhow::Result;
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};

const TIMEOUT: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> Result<()> {
    let brokers = env::var("KAFKA_BROKERS").unwrap_or_else(|_| "localhost:9092".into());
    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", &brokers)
        // The record counts as sent when all replicas in sync have it, and only once if it has to be
        // sent again.
        .set("acks", "all")
        .set("enable.idempotence", "true")
        // The default is to go on trying for five minutes.
        .set("message.timeout.ms", "10000")
        .create()?;

    // A Kafka client connects in the background and never gives up, so ask it something first. The
    // question also creates the topic where the broker allows that.
    if let Err(error) = producer
        .client()
        .fetch_metadata(Some("test-topic"), TIMEOUT)
    {
        let start = "`./dev up` or `docker compose up -d kafka`";
        // One line, rather than a backtrace: nothing is wrong with the program.
        eprintln!("No Kafka at {brokers}: {error}. Start it: {start}");
        exit(1);
    }

    // Records with the same key go to the same partition, in order. Without one any partition will do.
    let record = FutureRecord::<(), _>::to("test-topic").payload("Hello Kafka!");
    let sent = producer
        .send(record, TIMEOUT)
        .await
        .map_err(|(error, _)| error)?;
    println!(
        "Sent 'Hello Kafka!': topic = test-topic, partition = {}, offset = {}",
        sent.partition, sent.offset
    );
    Ok(())
}
