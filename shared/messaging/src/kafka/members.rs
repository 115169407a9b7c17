use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer};
use tokio::time::timeout;

use super::client::Kafka;

const TIMEOUT: Duration = Duration::from_secs(10);
/// A process that died without a word belongs to its group for six seconds.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(300);

/// Waits until nobody belongs to any of these groups.
///
/// # Errors
///
/// When somebody still does after a while, or Kafka does not answer.
pub(crate) async fn nobody_belongs_to(kafka: &Kafka, groups: Vec<String>) -> anyhow::Result<()> {
    let consumer: BaseConsumer = kafka
        .config()
        .create()
        .context("cannot create a Kafka consumer")?;
    let waited = tokio::task::spawn_blocking(move || wait(&consumer, &groups));
    let waited = timeout(PATIENCE + 2 * TIMEOUT, waited).await;
    waited.context("Kafka does not answer")??
}

fn wait(consumer: &BaseConsumer, groups: &[String]) -> anyhow::Result<()> {
    let started = Instant::now();
    while let Some((group, members)) = anybody(consumer, groups)? {
        ensure!(
            started.elapsed() < PATIENCE,
            "somebody still consumes: group {group} has {members} member(s), stop them first"
        );
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

/// The first of these groups to which somebody belongs, and how many do.
fn anybody(consumer: &BaseConsumer, groups: &[String]) -> anyhow::Result<Option<(String, usize)>> {
    let listed = consumer
        .fetch_group_list(None, TIMEOUT)
        .context("cannot list the consumer groups of Kafka")?;
    let mut listed = listed.groups().iter();
    let found = listed.find(|group| {
        let is_wanted = groups.iter().any(|wanted| wanted == group.name());
        is_wanted && !group.members().is_empty()
    });
    Ok(found.map(|group| (group.name().to_owned(), group.members().len())))
}
