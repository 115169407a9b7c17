use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::StreamConsumer;
use rdkafka::message::{BorrowedMessage, Message};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::gathering::{Flood, Others, WAY, fill, gathered, give_way};
use super::headers;
use super::partitions::Partitions;
use super::settling::Dead;
use super::watchdog::Watchdog;
use crate::consume::{
    BatchRunner, Consuming, DeadLetters, Outcome, Pending, ProcessSpan, Stopped, run_as_asked,
};
use crate::contained::contained;
use crate::faults::crash_point::{self, CrashPoint};
use crate::handler::{BatchHandler, Failure, Position, Received};
use crate::pace::Pace;
use crate::transport::Transport;

/// Takes messages of a topic, runs them through the handler, settles each, and stores the offsets.
pub(super) struct Session<H> {
    pub(super) consuming: Consuming,
    pub(super) runner: BatchRunner<H>,
    pub(super) dead_letters: Box<dyn DeadLetters>,
    pub(super) topic: &'static str,
    pub(super) group: String,
    /// How many messages may share a transaction.
    pub(super) batch: usize,
    /// How long records are gathered for it; not at all if this is zero.
    pub(super) gathering: Duration,
    /// Who may go first, if anybody may.
    pub(super) others: Option<Others>,
    /// Who is told of a record that cannot be decoded, where it is not this reader's business.
    pub(super) observer: Option<Observer>,
}

/// Hears of records that cannot be decoded, and why.
pub(super) type Observer = Box<dyn Fn(Position, &str) + Send + Sync>;

/// A record of a batch.
struct Taken<'m> {
    message: BorrowedMessage<'m>,
    span: ProcessSpan,
    /// What became of it, if it never reaches the handler.
    settled: Option<Outcome>,
}

/// A record as its handler sees it, and the span of handling it.
type Decoded<M> = (Received<M>, ProcessSpan);

impl<H: BatchHandler> Session<H> {
    /// Consumes until stopped, or until the consumer has to be replaced.
    pub(super) async fn run(
        &mut self,
        consumer: &StreamConsumer<Watchdog>,
        watchdog: &Watchdog,
        token: &CancellationToken,
    ) {
        let topic = self.topic;
        let mut partitions = Partitions::new(consumer, topic);
        let controls = Arc::clone(&self.consuming.controls);
        let (mut pace, mut flood) = (Pace::default(), Flood::default());
        loop {
            let first = tokio::select! {
                // In this order: a stop or a pause comes before the messages that are there.
                biased;
                () = token.cancelled() => return,
                () = controls.until_paused() => {
                    if self.pause(consumer, &mut partitions, watchdog, token).await.is_err() {
                        return;
                    }
                    continue;
                }
                () = partitions.pause_over() => {
                    partitions.resume();
                    continue;
                }
                first = consumer.recv() => first,
                () = watchdog.stuck(), if !partitions.is_waiting() => {
                    let lag = watchdog.lag();
                    warn!(topic, lag, "consumer of topic {topic} makes no progress, replacing it");
                    return;
                }
            };
            let mut batch = Vec::new();
            match first {
                Ok(message) => batch.push(message),
                Err(error) => {
                    // librdkafka reconnects by itself; this is for information.
                    let error = error.to_string();
                    debug!(error, topic, "cannot receive from topic {topic}");
                    continue;
                }
            }
            watchdog.progress();
            pace.wait().await;
            let limit = controls.batch(self.batch);
            let over = gathered(flood.filling(self.gathering), &controls, token);
            fill(consumer, &mut batch, limit, over).await;
            let taken_at = Instant::now();
            pace.took(batch.len(), limit);
            flood.took(batch.len(), taken_at);
            if let Err(Stopped) = self.handle(batch, &mut partitions, token).await
                && token.is_cancelled()
            {
                return;
            }
            pace.ended();
            if let Some(others) = &self.others {
                give_way(others.as_ref(), taken_at + WAY, &controls, token).await;
            }
            watchdog.progress();
        }
    }

    /// Handles a batch and stores its offsets.
    async fn handle(
        &mut self,
        batch: Vec<BorrowedMessage<'_>>,
        partitions: &mut Partitions<'_>,
        token: &CancellationToken,
    ) -> Result<(), Stopped> {
        let (started, count) = (Instant::now(), batch.len());
        let mut pending = Vec::with_capacity(count);
        let taken = batch
            .into_iter()
            .map(|message| self.take(message, partitions, &mut pending));
        let taken: Vec<_> = taken.collect();
        // One for each message that could be decoded, in the same order.
        let controls = &self.consuming.controls;
        let outcomes = match run_as_asked(&self.runner, controls, pending, token).await {
            Ok(outcomes) => outcomes,
            Err(Stopped) => {
                // The consumer keeps its partitions in a pause, so all of this has to be delivered again.
                for Taken { message, .. } in taken {
                    partitions.go_back_to(message.partition(), message.offset());
                }
                partitions.end_batch();
                return Err(Stopped);
            }
        };
        let mut outcomes = outcomes.into_iter();
        crash_point::reach(CrashPoint::TopicCommitted);

        let mut dead: Vec<Dead> = Vec::new();
        for mut taken in taken {
            let settled = taken.settled.or_else(|| outcomes.next());
            let outcome = settled.unwrap_or(Outcome::Behind);
            taken.span.end(&outcome);
            dead.extend(self.settle(&taken.message, outcome, partitions));
        }
        if !dead.is_empty() {
            self.publish_dead_letters(dead, partitions).await;
        }
        partitions.end_batch();
        crash_point::reach(CrashPoint::TopicStored);
        let metrics = &self.consuming.metrics;
        metrics.consumed(Transport::Kafka, self.topic, count, started.elapsed());
        Ok(())
    }

    /// Decodes a message; if that is possible it joins those that are pending.
    fn take<'m>(
        &self,
        message: BorrowedMessage<'m>,
        partitions: &Partitions<'_>,
        pending: &mut Vec<Pending<H::Message>>,
    ) -> Taken<'m> {
        let partition = Some(message.partition());
        let mut span = ProcessSpan::default();
        let settled = match contained(|| self.decode(&message)).flatten() {
            Ok(Some((received, its))) => {
                span = its;
                pending.push(Pending {
                    received,
                    partition,
                    doubt: None,
                    failed_before: partitions.failed_before(message.partition(), message.offset()),
                });
                None
            }
            Ok(None) => Some(Outcome::Done),
            Err(reason) if let Some(notice) = &self.observer => {
                let (partition, offset) = (message.partition(), message.offset());
                notice(Position { partition, offset }, &reason);
                Some(Outcome::Done)
            }
            Err(reason) => Some(Outcome::Failed(Failure::Reject(reason))),
        };
        Taken {
            message,
            span,
            settled,
        }
    }

    /// The message for the handler, or why it can never be handled. Nothing if it is of a type that nobody here
    /// has ever known: then it is for other readers of the topic.
    fn decode(&self, message: &BorrowedMessage<'_>) -> Result<Option<Decoded<H::Message>>, String> {
        let topic = self.topic;
        let (partition, offset) = (message.partition(), message.offset());
        let body = message.payload();
        match headers::decode(message).decode(body.unwrap_or_default()) {
            Ok(mut received) => {
                received.position = Some(Position { partition, offset });
                let (spans, group) = (&self.consuming.spans, &self.group);
                let span = spans.of_record(group, topic, partition, offset, &mut received);
                Ok(Some((received, span)))
            }
            Err(error) if error.is_unknown_type() => {
                let error = error.to_string();
                debug!(
                    topic,
                    partition, offset, error, "left message {topic}/{partition}/{offset} to others"
                );
                self.consuming.metrics.unknown_type(topic);
                Ok(None)
            }
            Err(_) if body.is_none() => Err("the record has no value".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}
