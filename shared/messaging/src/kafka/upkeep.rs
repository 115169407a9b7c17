use std::time::Duration;

use anyhow::Context;
use contracts::topology::Topic;
use rdkafka::admin::{AlterConfig, ConfigEntry, ConfigSource, ResourceSpecifier};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::client::Kafka;
use super::topics::{self, Admin, CLEANUP_POLICY};

/// How long a topic that somebody deleted or changed stays like that at most.
const INTERVAL: Duration = Duration::from_secs(20);

/// Looks at the topics that a service owns again and again until stopped: one may have been there before
/// the service, with the settings of the broker, and somebody may delete or change one.
pub(crate) async fn keep_topics(kafka: &Kafka, topics: &[Topic], token: &CancellationToken) {
    if topics.is_empty() {
        return;
    }
    let mut tick = interval(INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while token.run_until_cancelled(tick.tick()).await.is_some() {
        let looked = topics::with_admin(kafka, async |admin| look(kafka, admin, topics).await);
        if let Some(Err(error)) = token.run_until_cancelled(looked).await {
            // The relay says the same, and when it is over.
            debug!(
                error = format!("{error:#}"),
                "cannot look at the topics of Kafka"
            );
        }
    }
}

/// Creates what is missing, mends what can be mended, and notes what cannot.
async fn look(kafka: &Kafka, admin: &Admin, topics: &[Topic]) -> anyhow::Result<()> {
    for (topic, partitions) in topics::create_missing(kafka, admin, topics).await? {
        let wrong = [
            wrong_partitions(topic, partitions),
            mend_policy(admin, topic).await?,
        ];
        let wrong: Vec<String> = wrong.into_iter().flatten().collect();
        let reason = (!wrong.is_empty()).then(|| wrong.join(", and "));
        kafka.note(topic.name, reason);
    }
    Ok(())
}

/// Fewer are impossible. More would be possible, but keys would move to other partitions, and a message
/// could overtake an earlier one of its key: an operator who waits until the topic is read can do it.
fn wrong_partitions(topic: &Topic, partitions: usize) -> Option<String> {
    let wanted = topic.partitions;
    (usize::try_from(wanted) != Ok(partitions))
        .then(|| format!("it has {partitions} partitions instead of {wanted}"))
}

/// Gives the topic its `cleanup.policy`. Returns why it has another one all the same.
async fn mend_policy(admin: &Admin, topic: &Topic) -> anyhow::Result<Option<String>> {
    let (name, wanted) = (topic.name, topics::cleanup_policy(topic));
    let resource = ResourceSpecifier::Topic(name);
    let described = admin
        .describe_configs([&resource], &topics::options())
        .await
        .with_context(|| format!("cannot read the settings of topic `{name}`"))?;
    let settings = described.into_iter().flatten().next();
    let settings = settings.map_or_else(Vec::new, |resource| resource.entries);
    let Some(found) = value_of(&settings, CLEANUP_POLICY) else {
        return Ok(Some("its settings cannot be read".to_owned()));
    };
    if found == wanted {
        return Ok(None);
    }

    let altered = with_policy(name, wanted, &settings);
    let altered = admin
        .alter_configs([&altered], &topics::options())
        .await
        .with_context(|| format!("cannot change the settings of topic `{name}`"))?;
    if let Some(Err((_, error))) = altered.into_iter().next() {
        return Ok(Some(format!(
            "its {CLEANUP_POLICY} is `{found}` instead of `{wanted}` and cannot be changed: {error}"
        )));
    }
    info!(
        topic = name,
        "topic {name} had {CLEANUP_POLICY} `{found}`, which is `{wanted}` now"
    );
    Ok(None)
}

/// This kind of request replaces all settings of the topic, so those that it has otherwise go along.
/// A setting that somebody changes in the same moment is lost.
fn with_policy<'a>(
    topic: &'a str,
    policy: &'a str,
    settings: &'a [ConfigEntry],
) -> AlterConfig<'a> {
    let own = settings
        .iter()
        .filter(|entry| entry.source == ConfigSource::DynamicTopic);
    let altered = AlterConfig::new(ResourceSpecifier::Topic(topic));
    own.fold(altered, |altered, entry| match &entry.value {
        Some(value) => altered.set(&entry.name, value),
        None => altered,
    })
    .set(CLEANUP_POLICY, policy)
}

fn value_of<'a>(settings: &'a [ConfigEntry], name: &str) -> Option<&'a str> {
    let entry = settings.iter().find(|entry| entry.name == name)?;
    entry.value.as_deref()
}
