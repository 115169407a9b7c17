use anyhow::Result;
use contracts::topology::Topic;
use harness::{header, read_all};
use rdkafka::{Message, Offset};
use uuid::Uuid;

/// What a topic has kept about one key.
pub(super) struct Story {
    /// All facts of the topic, from the first that it has.
    pub(super) facts: u64,
    /// The types of those with the key, in the order in which they were read.
    pub(super) types: Vec<String>,
}

/// Reads a topic from its first record to its present end. Blocks the thread.
pub(super) fn read(topic: Topic, key: Uuid) -> Result<Story> {
    let (mut facts, key) = (0, key.to_string());
    let types = read_all(topic, Offset::Beginning, |record| {
        facts += 1;
        let is_about_it = record.key() == Some(key.as_bytes());
        is_about_it.then(|| header(record, "ce_type").unwrap_or_default().to_owned())
    })?;
    Ok(Story { facts, types })
}
