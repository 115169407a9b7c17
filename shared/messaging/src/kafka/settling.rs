use std::time::Duration;

use rdkafka::message::{BorrowedMessage, Message};
use tracing::warn;

use super::headers;
use super::partitions::Partitions;
use super::session::Session;
use crate::consume::{DeadLetter, HeldPartition, Origin, Original, Outcome, Settlement};
use crate::faults::crash_point::{self, CrashPoint};

/// How long a partition waits before its dead letter is published again.
const DEAD_LETTER_PAUSE: Duration = Duration::from_secs(1);

/// A message that is on its way to the dead letters.
pub(super) struct Dead {
    partition: i32,
    offset: i64,
    /// How many attempts had failed before this one: what counts again if the dead letter cannot be
    /// published.
    failed_before: u32,
    letter: DeadLetter,
    original: Original,
}

impl<H> Session<H> {
    /// Notes what became of a message; returns the dead letter if it is one.
    pub(super) fn settle(
        &self,
        message: &BorrowedMessage<'_>,
        outcome: Outcome,
        partitions: &mut Partitions<'_>,
    ) -> Option<Dead> {
        let (topic, handler) = (self.topic, self.runner.name);
        let (partition, offset) = (message.partition(), message.offset());
        if partitions.must_go_back(partition) {
            return None;
        }
        let failed_before = partitions.failed_before(partition, offset);
        match self.consuming.policy.settle(outcome, failed_before) {
            Settlement::Done => {
                partitions.settle(partition, offset);
                None
            }
            Settlement::Behind => {
                partitions.go_back_to(partition, offset);
                None
            }
            Settlement::Again {
                pause,
                attempts,
                error,
            } => {
                let error = format!("{error:#}");
                warn!(
                    topic,
                    partition,
                    offset,
                    attempts,
                    ?pause,
                    error,
                    "message {topic}/{partition}/{offset} is tried again in {pause:?}, its partition is held"
                );
                self.consuming.metrics.retried(handler);
                self.consuming.spans.held(&HeldPartition {
                    topic,
                    group: &self.group,
                    partition,
                    offset,
                    key: message.key().and_then(|key| std::str::from_utf8(key).ok()),
                    attempts,
                    limit: self.consuming.policy.attempts(),
                    pause,
                    error: &error,
                });
                partitions.hold(partition, offset, attempts, pause);
                None
            }
            Settlement::DeadLetter {
                attempts,
                reason,
                doubt,
            } => {
                warn!(
                    topic,
                    partition,
                    offset,
                    handler,
                    attempts,
                    reason,
                    "message {topic}/{partition}/{offset} becomes a dead letter"
                );
                partitions.settle(partition, offset);
                let letter = DeadLetter {
                    origin: Origin::Topic {
                        topic: topic.to_owned(),
                        partition,
                        offset,
                        group: self.group.clone(),
                        key: message.key().map(<[u8]>::to_vec),
                    },
                    service: self.consuming.service,
                    handler,
                    reason,
                    attempts,
                    doubt,
                };
                Some(Dead {
                    partition,
                    offset,
                    failed_before,
                    letter,
                    original: headers::original(message),
                })
            }
        }
    }

    /// Without the broker's confirm no offset moves on: a partition whose dead letter was not confirmed is
    /// held, and tries its message again.
    pub(super) async fn publish_dead_letters(
        &mut self,
        dead: Vec<Dead>,
        partitions: &mut Partitions<'_>,
    ) {
        let (topic, handler) = (self.topic, self.runner.name);
        let (places, letters): (Vec<_>, Vec<_>) = dead
            .into_iter()
            .map(|dead| {
                let place = (dead.partition, dead.offset, dead.failed_before);
                (place, (dead.letter, dead.original))
            })
            .unzip();
        let results = self.dead_letters.publish(letters).await;
        for ((partition, offset, failed_before), result) in places.into_iter().zip(results) {
            match result {
                Ok(()) => self.consuming.metrics.dead_lettered(handler),
                Err(error) => {
                    let error = error.to_string();
                    warn!(
                        topic,
                        partition,
                        offset,
                        error,
                        "cannot publish the dead letter of {topic}/{partition}/{offset}, holding the partition"
                    );
                    partitions.hold(partition, offset, failed_before, DEAD_LETTER_PAUSE);
                }
            }
        }
        crash_point::reach(CrashPoint::TopicDeadLettered);
    }
}
