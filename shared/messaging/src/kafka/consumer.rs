use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use contracts::topology::Topic;
use futures::FutureExt;
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::message::{BorrowedMessage, Message};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::headers;
use super::partitions::Partitions;
use super::watchdog::Watch;
use crate::consume::{DeadLetter, Source};
use crate::consume::{Item, Outcome, Processing};
use crate::faults::crash_point::{self, CrashPoint};
use crate::outbox::Transport;
use crate::rabbitmq::{Outgoing, Publisher};
use crate::trace::ProcessSpan;
use crate::{BatchHandler, Bus, Failure};

/// How long to wait for the broker when leaving a group. The group notices a silent leave as well,
/// later.
const LEAVING: Duration = Duration::from_secs(3);

/// How long a partition waits before its dead letter is published again.
const DEAD_LETTER_PAUSE: Duration = Duration::from_secs(1);

/// Consumes a topic: built by [`Bus::topic`].
#[must_use = "a consumer does nothing until `run`"]
pub struct TopicConsumer {
    bus: Bus,
    topic: Topic,
    batch: usize,
}

impl TopicConsumer {
    pub(crate) fn new(bus: Bus, topic: Topic) -> Self {
        Self {
            bus,
            topic,
            batch: 1,
        }
    }

    /// At most so many messages share a transaction. Never waits for a batch to fill.
    pub fn batch(mut self, messages: usize) -> Self {
        self.batch = messages.max(1);
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
    pub async fn run<H: BatchHandler>(
        self,
        handler_name: &'static str,
        handler: H,
        token: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut session = Session {
            publisher: Publisher::new(self.bus.rabbitmq().clone(), Vec::new()),
            processing: self.bus.processing(handler_name, handler),
            options: &self,
        };
        while !token.is_cancelled() {
            let metrics = Arc::clone(&session.processing.metrics);
            let watch = self.bus.kafka().watch().counting(self.topic.name, metrics);
            let consumer = self.subscribe(&watch)?;
            session.run(&consumer, &watch, &token).await;

            // Committing and leaving the group talk to the broker and block.
            let left = tokio::task::spawn_blocking(move || {
                if let Err(error) = consumer.commit_consumer_state(CommitMode::Sync) {
                    debug!(%error, "nothing to commit");
                }
            });
            match timeout(LEAVING, left).await {
                Ok(left) => left.context("leaving the consumer group panicked")?,
                Err(_) => warn!(
                    topic = self.topic.name,
                    "the consumer group is left without a goodbye"
                ),
            }
        }
        Ok(())
    }

    fn subscribe(&self, watch: &Watch) -> anyhow::Result<StreamConsumer<Watch>> {
        let group = self.group();
        let consumer: StreamConsumer<Watch> = self
            .bus
            .kafka()
            .config()
            .set("group.id", &group)
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
            .set("fetch.queue.backoff.ms", "5")
            .create_with_context(watch.clone())
            .context("cannot create a Kafka consumer")?;
        consumer
            .subscribe(&[self.topic.name])
            .context("cannot subscribe")?;
        info!(topic = self.topic.name, group, "consuming");
        Ok(consumer)
    }

    /// One group for each service and topic, so that members of a group all read the same.
    fn group(&self) -> String {
        format!("{}.{}", self.bus.service(), self.topic.name)
    }
}

struct Session<'o, H> {
    options: &'o TopicConsumer,
    processing: Processing<H>,
    publisher: Publisher,
}

impl<H: BatchHandler> Session<'_, H> {
    /// Consumes until stopped, or until the consumer has to be replaced.
    async fn run(
        &mut self,
        consumer: &StreamConsumer<Watch>,
        watch: &Watch,
        token: &CancellationToken,
    ) {
        let topic = self.options.topic.name;
        let mut partitions = Partitions::new(consumer, topic);
        loop {
            let first = tokio::select! {
                // In this order: a stop comes before the messages that are there.
                biased;
                () = token.cancelled() => return,
                () = partitions.pause_over() => {
                    partitions.resume();
                    continue;
                }
                first = consumer.recv() => first,
                () = watch.stuck(), if !partitions.is_waiting() => {
                    warn!(topic, lag = watch.lag(), "the Kafka consumer gets nowhere, replacing it");
                    return;
                }
            };
            let mut batch = Vec::new();
            match first {
                Ok(message) => batch.push(message),
                Err(error) => {
                    // librdkafka reconnects by itself; this is for information.
                    debug!(%error, topic, "cannot receive");
                    continue;
                }
            }
            watch.progress();
            while batch.len() < self.options.batch
                && let Some(Ok(message)) = consumer.recv().now_or_never()
            {
                batch.push(message);
            }
            if !self.handle(batch, &mut partitions, token).await {
                return;
            }
            watch.progress();
        }
    }

    /// Handles a batch and stores its offsets. `false` means that the stop came first.
    async fn handle(
        &mut self,
        batch: Vec<BorrowedMessage<'_>>,
        partitions: &mut Partitions<'_>,
        token: &CancellationToken,
    ) -> bool {
        let (started, count) = (Instant::now(), batch.len());
        let topic = self.options.topic.name;
        let mut items = Vec::with_capacity(count);
        let mut records: Vec<(BorrowedMessage<'_>, Result<ProcessSpan, String>)> =
            Vec::with_capacity(count);
        for message in batch {
            let (partition, offset) = (message.partition(), message.offset());
            match headers::decode(&message).decode(message.payload().unwrap_or_default()) {
                Ok(mut received) => {
                    let tracing = self.options.bus.tracing();
                    let span = tracing.process_topic(topic, partition, offset, &mut received);
                    items.push(Item {
                        received,
                        lane: Some(partition),
                    });
                    records.push((message, Ok(span)));
                }
                Err(error) => records.push((message, Err(error.to_string()))),
            }
        }
        let Some(outcomes) = self.processing.run(&items, token).await else {
            return false;
        };
        crash_point::reach(CrashPoint::TopicCommitted);

        let mut outcomes = outcomes.into_iter();
        let mut dead: Vec<Dead> = Vec::new();
        for (message, decoded) in records {
            let outcome = match decoded {
                Ok(mut span) => {
                    let outcome = outcomes.next().unwrap_or(Outcome::Held);
                    span.end(outcome.failure());
                    outcome
                }
                Err(reason) => Outcome::Failed(Failure::Reject(reason)),
            };
            dead.extend(self.settle(&message, outcome, partitions));
        }
        self.publish_dead_letters(dead, partitions).await;
        partitions.store();
        crash_point::reach(CrashPoint::TopicStored);
        self.processing
            .metrics
            .consumed(Transport::Kafka, topic, count, started.elapsed());
        true
    }

    /// Notes what became of a message; returns the dead letter if it is one.
    fn settle(
        &self,
        message: &BorrowedMessage<'_>,
        outcome: Outcome,
        partitions: &mut Partitions<'_>,
    ) -> Option<Dead> {
        let (partition, offset) = (message.partition(), message.offset());
        if partitions.is_held(partition) {
            return None;
        }
        let failure = match outcome {
            Outcome::Done => {
                partitions.settle(partition, offset);
                return None;
            }
            Outcome::Held => {
                partitions.go_back_to(partition, offset);
                return None;
            }
            Outcome::Failed(failure) => failure,
        };
        let attempts = partitions
            .failed_attempts(partition, offset)
            .saturating_add(1);
        match (failure, self.options.bus.pause_after(attempts)) {
            (Failure::Retry(error), Some(pause)) => {
                let (topic, error) = (message.topic(), format!("{error:#}"));
                warn!(
                    topic,
                    partition,
                    offset,
                    attempts,
                    ?pause,
                    error,
                    "partition held for a retry"
                );
                self.processing.metrics.retried(self.processing.name);
                partitions.hold(partition, offset, attempts, pause);
                None
            }
            (failure, _) => {
                partitions.settle(partition, offset);
                Some(self.dead_letter(message, attempts, failure.to_string()))
            }
        }
    }

    /// Without the broker's confirm no offset moves on: a partition whose dead letter was not confirmed is
    /// held, and tries its message again.
    async fn publish_dead_letters(&mut self, dead: Vec<Dead>, partitions: &mut Partitions<'_>) {
        if dead.is_empty() {
            return;
        }
        let (places, letters): (Vec<_>, Vec<_>) = dead
            .into_iter()
            .map(|dead| ((dead.partition, dead.offset, dead.attempts), dead.letter))
            .unzip();
        let results = self.publisher.publish(&letters).await;
        let topic = self.options.topic.name;
        for ((partition, offset, attempts), result) in places.into_iter().zip(results) {
            match result {
                Ok(()) => self.processing.metrics.dead_lettered(self.processing.name),
                Err(error) => {
                    warn!(%error, topic, partition, offset, "cannot publish a dead letter, holding the partition");
                    partitions.hold(partition, offset, attempts - 1, DEAD_LETTER_PAUSE);
                }
            }
        }
        crash_point::reach(CrashPoint::TopicDeadLettered);
    }

    fn dead_letter(&self, message: &BorrowedMessage<'_>, attempts: u32, reason: String) -> Dead {
        let (topic, partition, offset) = (message.topic(), message.partition(), message.offset());
        let handler = self.processing.name;
        warn!(
            topic,
            partition, offset, handler, attempts, reason, "dead letter"
        );
        let letter = DeadLetter {
            source: Source::Topic {
                topic: topic.to_owned(),
                partition,
                offset,
                group: self.options.group(),
                key: message.key().map(<[u8]>::to_vec),
            },
            service: self.options.bus.service(),
            handler,
            reason,
            attempts,
            properties: headers::to_amqp(message),
            body: message.payload().unwrap_or_default().to_vec(),
        };
        Dead {
            partition,
            offset,
            attempts,
            letter: letter.into_message(),
        }
    }
}

/// A message that is on its way to the dead letters.
struct Dead {
    partition: i32,
    offset: i64,
    /// At least one.
    attempts: u32,
    letter: Outgoing,
}
