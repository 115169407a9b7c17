use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use contracts::topology::Topic;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::beginning;
use super::client::Kafka;
use super::gathering::{Others, have_gathered};
use super::session::{Observer, Session};
use super::watchdog::Watchdog;
use crate::consume::{Consuming, DeadLetters, group};
use crate::handler::BatchHandler;

/// How long to wait for the broker when leaving a group. The group notices a silent leave as well,
/// later.
const LEAVING: Duration = Duration::from_secs(3);

/// Consumes the records of a topic.
pub(crate) struct RecordConsumer {
    kafka: Kafka,
    consuming: Consuming,
    dead_letters: Box<dyn DeadLetters>,
    topic: Topic,
    group: String,
    batch: usize,
    gathering: Duration,
    others: Option<Others>,
    reading_all: bool,
    repeatable: bool,
    observer: Option<Observer>,
}

impl RecordConsumer {
    pub(crate) fn new(
        kafka: Kafka,
        consuming: Consuming,
        dead_letters: Box<dyn DeadLetters>,
        topic: Topic,
    ) -> Self {
        Self {
            group: group(consuming.service, topic.name),
            kafka,
            consuming,
            dead_letters,
            topic,
            batch: 1,
            gathering: Duration::ZERO,
            others: None,
            reading_all: false,
            repeatable: false,
            observer: None,
        }
    }

    pub(crate) fn batch(mut self, messages: usize) -> Self {
        self.batch = messages.max(1);
        self
    }

    pub(crate) fn gathering(mut self, time: Duration) -> Self {
        self.gathering = time;
        self
    }

    pub(crate) fn giving_way(mut self, others: Others) -> Self {
        self.others = Some(others);
        self
    }

    pub(crate) fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    pub(crate) fn reading_all(mut self) -> Self {
        self.reading_all = true;
        self
    }

    pub(crate) fn observing(mut self, observer: Observer) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Handles messages until stopped, those of one partition strictly in order.
    ///
    /// An offset is stored after the commit of its handler. A message that fails holds its
    /// partition, and only that, for each of the configured pauses; after the last it becomes a
    /// dead letter and the partition goes on.
    ///
    /// # Errors
    ///
    /// When the client cannot be set up; never because a broker is away.
    pub(crate) async fn run<H: BatchHandler>(
        self,
        handler_name: &'static str,
        handler: H,
        token: CancellationToken,
    ) -> anyhow::Result<()> {
        let topic = self.topic.name;
        let group = self.group.clone();
        let metrics = Arc::clone(&self.consuming.metrics);
        if self.reading_all {
            let begun = beginning::begin(&self.kafka, &self.consuming.pool, topic, &group);
            if token.run_until_cancelled(begun).await.is_none() {
                return Ok(());
            }
        }
        let mut runner = self.consuming.runner(topic, handler_name, handler);
        runner.repeatable = self.repeatable;
        let gathering = self.gathering;
        let mut session = Session {
            runner,
            consuming: self.consuming,
            dead_letters: self.dead_letters,
            topic,
            group: self.group,
            batch: self.batch,
            gathering,
            others: self.others,
            observer: self.observer,
        };
        while !token.is_cancelled() {
            let watchdog = self.kafka.watchdog().counting(topic, Arc::clone(&metrics));
            let consumer = subscribe(&self.kafka, topic, &group, gathering, &watchdog)?;
            session.run(&consumer, &watchdog, &token).await;

            // Committing and leaving the group talk to the broker and block.
            let left = tokio::task::spawn_blocking(move || {
                if let Err(error) = consumer.commit_consumer_state(CommitMode::Sync) {
                    let error = error.to_string();
                    debug!(error, topic, "nothing to commit of topic {topic}");
                }
            });
            match timeout(LEAVING, left).await {
                Ok(left) => left.context("leaving the consumer group panicked")?,
                Err(_) => warn!(
                    topic,
                    group, "left consumer group {group} without telling the broker"
                ),
            }
        }
        Ok(())
    }
}

fn subscribe(
    kafka: &Kafka,
    topic: &str,
    group: &str,
    gathering: Duration,
    watchdog: &Watchdog,
) -> anyhow::Result<StreamConsumer<Watchdog>> {
    let mut config = kafka.config();
    if matches!(config.log_level, RDKafkaLogLevel::Error) {
        // The watchdog listens to warnings, whatever the log shows.
        config.set_log_level(RDKafkaLogLevel::Warning);
    }
    config
        .set("group.id", group)
        .set("enable.auto.offset.store", "false")
        .set("auto.commit.interval.ms", "1000")
        .set("auto.offset.reset", "earliest")
        // A stopped process gives up its partitions after this time.
        .set("session.timeout.ms", "6000")
        .set("heartbeat.interval.ms", "1500")
        // And so does one that holds a batch for so long: until it asks for more, nobody can join the
        // group. More than a transaction may take.
        .set("max.poll.interval.ms", "15000")
        // What is fetched ahead is memory. The pause when the limit is reached is one second
        // by default, which would starve a fast handler.
        .set("queued.max.messages.kbytes", "4096")
        .set("fetch.queue.backoff.ms", "5");
    if !gathering.is_zero() {
        have_gathered(&mut config, gathering);
    }
    let consumer: StreamConsumer<Watchdog> = config
        .create_with_context(watchdog.clone())
        .context("cannot create a Kafka consumer")?;
    consumer.subscribe(&[topic]).context("cannot subscribe")?;
    info!(
        topic,
        group, "consuming topic {topic} as part of group {group}"
    );
    Ok(consumer)
}
