use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use contracts::topology::DEAD_LETTER_QUEUE;
use harness::{Group, Management, eventually};
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::{CONSUMERS, Consumer, Lag, Queue};

/// The console may just have been started, or have lost its broker.
const COLLECTED: Duration = Duration::from_secs(60);

/// Part of the names of queues that end with the connection of a process. What is said there is of use only at that
/// moment.
const CONTROLS: &str = ".controls.";

/// All queues but the one of dead letters and those that end with a process. None while there are some that the broker has not counted,
/// as in the first seconds after it was started.
pub(super) async fn queues(rabbitmq: &Management) -> Result<Option<Vec<Queue>>> {
    #[derive(Deserialize)]
    struct Counted {
        name: String,
        messages: Option<i64>,
    }
    let mut queues: Vec<Counted> = rabbitmq.queues().await?;
    queues.retain(|queue| queue.name != DEAD_LETTER_QUEUE && !queue.name.contains(CONTROLS));
    let queues = queues.into_iter().map(|Counted { name, messages }| {
        let messages = messages?;
        Some(Queue { name, messages })
    });
    Ok(queues.collect())
}

/// The exchanges, queues and bindings of the services.
pub(super) async fn declared(rabbitmq: &Management) -> Result<BTreeSet<String>> {
    let list = async |what: &str| -> Result<Vec<Value>> {
        let path = format!("{what}/{}", rabbitmq.vhost());
        rabbitmq.call(Method::GET, &path, None).await
    };
    let mut declared = BTreeSet::new();
    for what in ["exchanges", "queues", "bindings"] {
        declared.extend(list(what).await?.iter().filter_map(declaration));
    }
    declared.retain(|one| !one.contains(CONTROLS));
    Ok(declared)
}

/// None for what the broker has by itself.
fn declaration(declared: &Value) -> Option<String> {
    let part = |name: &str| declared[name].as_str();
    if let Some(source) = part("source").filter(|source| !source.is_empty()) {
        let (queue, key) = (part("destination")?, part("routing_key")?);
        return Some(format!("the binding of {queue} to {source} by `{key}`"));
    }
    let name = part("name").filter(|name| !name.is_empty() && !name.starts_with("amq."))?;
    // Only an exchange says so.
    let is_exchange = declared["internal"].is_boolean();
    let what = if is_exchange { "exchange" } else { "queue" };
    Some(format!("the {what} {name}"))
}

/// Waits until nothing is in the queue of dead letters, by a count that began after this call: the console empties it.
pub(super) async fn no_dead_letter_waits(rabbitmq: &Management) -> Result<()> {
    #[derive(Deserialize)]
    struct Counted {
        messages: Option<i64>,
        /// What the queue's process has worked so far: another number with each of its reports.
        reductions: Option<u64>,
    }
    let path = format!("queues/{}/{DEAD_LETTER_QUEUE}", rabbitmq.vhost());
    let mut counts = BTreeSet::new();
    let what = "the console has taken all dead letters";
    eventually(what, COLLECTED, async || {
        let queue: Counted = rabbitmq.call(Method::GET, &path, None).await?;
        counts.insert(queue.reductions);
        // The first was known before, and the second was perhaps under way.
        Ok((counts.len() > 2 && queue.messages == Some(0)).then_some(()))
    })
    .await
}

/// The consumer groups, each with a client of its own.
pub(super) struct Groups(Arc<Vec<(Consumer, Group)>>);

impl Groups {
    pub(super) fn connect() -> Result<Self> {
        let groups = CONSUMERS.into_iter().map(|consumer| {
            let group = Group::new(consumer.group, consumer.topic)?;
            Ok((consumer, group))
        });
        Ok(Self(Arc::new(groups.collect::<Result<_>>()?)))
    }

    /// How far every one of them is behind, by partition.
    pub(super) async fn lags(&self) -> Result<Vec<Lag>> {
        let groups = Arc::clone(&self.0);
        // The client blocks its thread.
        tokio::task::spawn_blocking(move || {
            let lags = groups.iter().map(lags_of);
            Ok(lags.collect::<Result<Vec<_>>>()?.concat())
        })
        .await?
    }
}

fn lags_of((consumer, group): &(Consumer, Group)) -> Result<Vec<Lag>> {
    let unread = (0..).zip(group.unread()?);
    let lags = unread.map(|(partition, records)| Lag {
        group: consumer.group.to_owned(),
        partition,
        records,
    });
    Ok(lags.collect())
}
