//! One message that nobody can handle in a queue, and one in a topic.

use std::time::Duration;

use anyhow::Result;
use harness::{Stack, TopicWriter, cloud_event};

const UNKNOWN_TYPE: &str = "spillway.turn-lead-into-gold.v1";
/// In a topic an unknown type is nobody's business, but not an unknown version.
const UNKNOWN_VERSION: &str = "spillway.order-placed.v999";

pub(crate) struct Poisoned {
    ids: Vec<String>,
}

impl Poisoned {
    /// For `inventory` and for `notification`.
    pub(crate) async fn send(stack: &Stack) -> Result<Self> {
        let [queued, recorded] = [cloud_event(UNKNOWN_TYPE), cloud_event(UNKNOWN_VERSION)];
        stack
            .rabbitmq
            .publish("commands", "stock.reserve", queued.properties(), "{}")
            .await?;
        TopicWriter::connect()?
            .write(("order-events", 0), "poison", &recorded.headers(), b"{}")
            .await?;
        let ids = vec![queued.id, recorded.id];
        Ok(Self { ids })
    }

    /// Each is found among the dead letters. Copies of one have been joined.
    pub(crate) async fn are_dead_letters(&self, stack: &Stack, limit: Duration) -> Result<()> {
        stack.letters.with_ids(&self.ids, limit).await.map(drop)
    }
}
