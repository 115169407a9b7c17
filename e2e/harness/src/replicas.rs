use std::time::Duration;

use anyhow::Result;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::{kafka_client, setting};

const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Whether every partition of every topic has so many replicas, each on a broker of its own and all of them in sync.
/// Blocks the thread.
///
/// Every broker of `KAFKA_BROKERS` has to say so: one that was cut off from the others does not know yet what it has
/// missed.
///
/// # Errors
///
/// When one of the brokers cannot be reached.
pub fn is_replicated(replicas: usize) -> Result<bool> {
    let brokers = setting("KAFKA_BROKERS")?;
    for broker in brokers.split(',') {
        let mut config = kafka_client()?;
        // A client that knows one broker asks that one.
        config
            .set("bootstrap.servers", broker)
            .set("group.id", "e2e");
        let client: BaseConsumer = config.create()?;
        let metadata = client.fetch_metadata(None, TIME_LIMIT)?;
        let mut partitions = (metadata.topics().iter()).flat_map(|topic| topic.partitions());
        let is_whole = metadata.brokers().len() == replicas
            && partitions.all(|partition| {
                partition.replicas().len() == replicas && partition.isr().len() == replicas
            });
        if !is_whole {
            return Ok(false);
        }
    }
    Ok(true)
}
