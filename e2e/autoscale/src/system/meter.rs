use std::sync::Arc;

use anyhow::{Context, Result};
use harness::{Group, Management};
use reqwest::Method;
use serde::Deserialize;
use tokio::task::spawn_blocking;

use crate::{Sample, Subject, Trigger};

/// Counts what one trigger is about.
pub(super) struct Meter {
    trigger: Trigger,
    source: Source,
}

enum Source {
    /// Where RabbitMQ says how long the queue is.
    Queue(String),
    Lag(Arc<Group>),
}

#[derive(Deserialize)]
struct Queue {
    /// The broker has not counted a queue that is new.
    messages: Option<u64>,
}

impl Meter {
    pub(super) fn new(trigger: &Trigger) -> Result<Self> {
        let source = match &trigger.subject {
            Subject::Queue { vhost, name } => {
                let part = |text: &str| text.replace('/', "%2F");
                Source::Queue(format!("queues/{}/{}", part(vhost), part(name)))
            }
            Subject::Lag { group, topic } => Source::Lag(Arc::new(Group::new(group, *topic)?)),
        };
        Ok(Self {
            trigger: trigger.clone(),
            source,
        })
    }

    /// What there is now, or why nobody knows.
    pub(super) async fn read(&self, rabbitmq: &Management) -> Sample {
        let value = match &self.source {
            Source::Queue(path) => length(rabbitmq, path).await,
            Source::Lag(group) => lag(Arc::clone(group), self.trigger.target).await,
        };
        Sample {
            name: self.trigger.name.clone(),
            target: self.trigger.target,
            value: value.map_err(|error| format!("{error:#}")),
        }
    }
}

async fn length(rabbitmq: &Management, path: &str) -> Result<u64> {
    let queue: Queue = rabbitmq.call(Method::GET, path, None).await?;
    queue.messages.context("the queue is not counted yet")
}

/// As KEDA counts it: no more than so much that each partition has an instance.
async fn lag(group: Arc<Group>, target: u64) -> Result<u64> {
    // The client blocks its thread.
    let unread = spawn_blocking(move || group.unread()).await??;
    let partitions = u64::try_from(unread.len())?;
    let lag = unread
        .into_iter()
        .map(|records| u64::try_from(records).unwrap_or(0));
    let lag: u64 = lag.sum();
    let is_beyond = lag / target > partitions;
    Ok(if is_beyond { partitions * target } else { lag })
}
