//! Queues, exchanges and bindings that somebody tidies away.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use contracts::topology::{DEAD_LETTER_QUEUE, PAYMENT_DEADLINES};
use fastrand::Rng;
use harness::eventually;
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

use super::brokers::SOON;
use crate::{Alarm, Arena};

/// From one deletion to the next.
const PAUSE: Duration = Duration::from_secs(3);

/// Somebody who deletes an exchange, a binding, a queue, and so on.
///
/// Only what loses no message that was accepted: without its exchange or its binding a message comes back to
/// its publisher, but whoever deletes a queue deletes what is in it.
pub(crate) struct Tidying {
    rng: Rng,
    round: usize,
    deleted: usize,
}

#[derive(Deserialize)]
struct Queue {
    name: String,
    messages: Option<i64>,
    /// What the queue's process has worked so far: another number with each of its reports.
    reductions: Option<u64>,
}

impl Tidying {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            round: 0,
            deleted: 0,
        }
    }

    pub(super) fn remark(&self) -> String {
        format!("{} deleted", self.deleted)
    }
}

impl Arena {
    /// Deletes the next thing. What fails is left as it is: the broker may be away.
    pub(super) async fn tidy(&self, tidying: &mut Tidying) -> Duration {
        let deleted = match tidying.round % 3 {
            0 => self.delete_exchange(&mut tidying.rng).await,
            1 => self.delete_binding(&mut tidying.rng).await,
            _ => self.delete_empty_queue(tidying).await,
        };
        tidying.round += 1;
        tidying.deleted += usize::from(deleted.unwrap_or(false));
        PAUSE
    }

    async fn delete_exchange(&self, rng: &mut Rng) -> Result<bool> {
        let path = format!("exchanges/{}", self.rabbitmq.vhost());
        let all: Vec<Value> = self.rabbitmq.call(Method::GET, &path, None).await?;
        let mut names: Vec<_> = all.iter().filter_map(|one| one["name"].as_str()).collect();
        names.retain(|name| !name.is_empty() && !name.starts_with("amq."));
        match rng.choice(names) {
            Some(name) => self.delete(&format!("{path}/{name}")).await,
            None => Ok(false),
        }
    }

    async fn delete_binding(&self, rng: &mut Rng) -> Result<bool> {
        let path = format!("bindings/{}", self.rabbitmq.vhost());
        let all: Vec<Value> = self.rabbitmq.call(Method::GET, &path, None).await?;
        let paths = all.iter().filter_map(|one| {
            let part = |name: &str| one[name].as_str();
            let (exchange, queue, key) = (
                part("source")?,
                part("destination")?,
                part("properties_key")?,
            );
            (!exchange.is_empty()).then(|| format!("{path}/e/{exchange}/q/{queue}/{key}"))
        });
        match rng.choice(paths.collect::<Vec<_>>()) {
            Some(path) => self.delete(&path).await,
            None => Ok(false),
        }
    }

    /// The queue of dead letters, which the console empties, and a queue in which messages wait for their next
    /// attempt in turn. That of payment deadlines is never empty for long, and is not touched.
    ///
    /// The broker cannot be asked to delete a quorum queue only if it is empty, so publishers are blocked
    /// until it was counted once more.
    async fn delete_empty_queue(&self, tidying: &mut Tidying) -> Result<bool> {
        let mut queues: Vec<Queue> = self.rabbitmq.queues().await?;
        queues.retain(|queue| {
            let waits =
                queue.name.contains(".delay.") && !queue.name.starts_with(PAYMENT_DEADLINES);
            queue.messages == Some(0) && (waits || queue.name == DEAD_LETTER_QUEUE)
        });
        tidying.rng.shuffle(&mut queues);
        let is_their_turn = (tidying.round / 3).is_multiple_of(2);
        queues.sort_by_key(|queue| (queue.name == DEAD_LETTER_QUEUE) != is_their_turn);
        let Some(Queue { name, .. }) = queues.first() else {
            return Ok(false);
        };
        self.raise(Alarm::Memory).await?;
        let deleted = self.delete_if_empty(name).await;
        self.restore_rabbitmq().await?;
        deleted
    }

    async fn delete_if_empty(&self, name: &str) -> Result<bool> {
        let path = format!("queues/{}/{name}", self.rabbitmq.vhost());
        let queue =
            async || -> Result<Queue> { self.rabbitmq.call(Method::GET, &path, None).await };
        // What is known was counted before publishers were blocked, perhaps, and the next count was perhaps under
        // way then.
        let mut counts = BTreeSet::from([queue().await?.reductions]);
        let counted = eventually("the queue is counted twice", SOON, async || {
            let queue = queue().await?;
            counts.insert(queue.reductions);
            Ok((counts.len() > 2).then_some(queue))
        });
        Ok(counted.await?.messages == Some(0) && self.delete(&path).await?)
    }

    async fn delete(&self, path: &str) -> Result<bool> {
        self.rabbitmq
            .call::<Value>(Method::DELETE, path, None)
            .await?;
        Ok(true)
    }
}
