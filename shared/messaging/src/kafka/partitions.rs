use std::collections::HashMap;
use std::time::Duration;

use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::KafkaResult;
use rdkafka::{Offset, TopicPartitionList};
use tokio::time::Instant;
use tracing::debug;

use super::watchdog::Watchdog;

/// How far each partition has come, and which of them wait to try a message again.
///
/// Every call may find that a partition has moved to another consumer meanwhile. That is no
/// error: the other one starts at the last offset that was stored.
pub(crate) struct Partitions<'c> {
    consumer: &'c StreamConsumer<Watchdog>,
    topic: &'static str,
    holds: HashMap<i32, Hold>,
    /// The last offset of this batch that is settled.
    settled: HashMap<i32, i64>,
    /// The first offset of this batch that has to be delivered again.
    unsettled: HashMap<i32, i64>,
}

/// A message that is tried again before its partition goes on.
struct Hold {
    offset: i64,
    attempts: u32,
    /// `None` once the pause is over.
    until: Option<Instant>,
}

impl<'c> Partitions<'c> {
    pub(crate) fn new(consumer: &'c StreamConsumer<Watchdog>, topic: &'static str) -> Self {
        let (holds, settled, unsettled) = Default::default();
        Self {
            consumer,
            topic,
            holds,
            settled,
            unsettled,
        }
    }

    /// How many attempts to handle the message at this position have failed.
    pub(crate) fn failed_before(&self, partition: i32, offset: i64) -> u32 {
        let hold = self
            .holds
            .get(&partition)
            .filter(|hold| hold.offset == offset);
        hold.map_or(0, |hold| hold.attempts)
    }

    /// The message is done with, one way or the other.
    pub(crate) fn settle(&mut self, partition: i32, offset: i64) {
        self.settled.insert(partition, offset);
    }

    /// This message and all behind it in its partition have to be delivered again.
    pub(crate) fn go_back_to(&mut self, partition: i32, offset: i64) {
        self.unsettled.entry(partition).or_insert(offset);
    }

    /// The same, after a pause. What was settled behind it in this batch will come again too.
    pub(crate) fn hold(&mut self, partition: i32, offset: i64, attempts: u32, pause: Duration) {
        let until = Some(Instant::now() + pause);
        self.holds.insert(
            partition,
            Hold {
                offset,
                attempts,
                until,
            },
        );
        let is_behind = |settled: &mut i64| *settled >= offset;
        self.settled
            .retain(|&of, settled| of != partition || !is_behind(settled));
        self.unsettled
            .entry(partition)
            .and_modify(|first| *first = offset.min(*first))
            .or_insert(offset);
    }

    /// Whether any partition waits on purpose.
    pub(crate) fn is_waiting(&self) -> bool {
        self.holds.values().any(|hold| hold.until.is_some())
    }

    /// Whether a message of this partition has to be delivered again, and with it those behind it.
    pub(crate) fn must_go_back(&self, partition: i32) -> bool {
        self.unsettled.contains_key(&partition)
    }

    /// Ends a batch: stores the offsets that are settled, to be committed by the client, and
    /// sends the other partitions back.
    pub(crate) fn end_batch(&mut self) {
        for (partition, offset) in self.settled.drain() {
            self.holds
                .retain(|held, hold| *held != partition || hold.offset > offset);
            unless_moved(
                self.consumer.store_offset(self.topic, partition, offset),
                partition,
            );
        }
        for (partition, offset) in self.unsettled.drain() {
            let waits = self
                .holds
                .get(&partition)
                .is_some_and(|hold| hold.until.is_some());
            if waits {
                unless_moved(
                    self.consumer.pause(&one_partition(self.topic, partition)),
                    partition,
                );
            }
            // With a zero time-out this notes where to fetch from and does not block.
            let offset = Offset::Offset(offset);
            unless_moved(
                self.consumer
                    .seek(self.topic, partition, offset, Duration::ZERO),
                partition,
            );
        }
    }

    /// Takes nothing of any partition that is assigned now.
    pub(crate) fn pause_all(&self) {
        let paused = self.consumer.assignment();
        let paused = paused.and_then(|assigned| self.consumer.pause(&assigned));
        unless_lost(paused, self.topic);
    }

    /// Takes from all partitions again, but for those that wait to try a message again.
    pub(crate) fn resume_all(&self) {
        let resumed = self.consumer.assignment().and_then(|assigned| {
            let mut free = TopicPartitionList::new();
            for element in assigned.elements() {
                let hold = self.holds.get(&element.partition());
                if hold.is_none_or(|hold| hold.until.is_none()) {
                    free.add_partition(self.topic, element.partition());
                }
            }
            self.consumer.resume(&free)
        });
        unless_lost(resumed, self.topic);
    }

    /// A record that comes while all is paused is of a partition that was assigned just now: that one
    /// is paused as well, and delivers its record again afterwards.
    pub(crate) fn put_back(&mut self, partition: i32, offset: i64) {
        let one = one_partition(self.topic, partition);
        unless_moved(self.consumer.pause(&one), partition);
        self.go_back_to(partition, offset);
        self.end_batch();
    }

    /// When the next pause is over; never, if there is none.
    pub(crate) async fn pause_over(&self) {
        match self.holds.values().filter_map(|hold| hold.until).min() {
            Some(until) => tokio::time::sleep_until(until).await,
            None => std::future::pending().await,
        }
    }

    /// Lets partitions go on whose pause is over.
    pub(crate) fn resume(&mut self) {
        let now = Instant::now();
        for (partition, hold) in &mut self.holds {
            if hold.until.is_some_and(|until| until <= now) {
                hold.until = None;
                unless_moved(
                    self.consumer.resume(&one_partition(self.topic, *partition)),
                    *partition,
                );
            }
        }
    }
}

fn one_partition(topic: &str, partition: i32) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(1);
    list.add_partition(topic, partition);
    list
}

fn unless_moved(result: KafkaResult<()>, partition: i32) {
    if let Err(error) = result {
        let error = error.to_string();
        debug!(
            error,
            partition, "partition {partition} has moved to another consumer"
        );
    }
}

fn unless_lost(result: KafkaResult<()>, topic: &str) {
    if let Err(error) = result {
        let error = error.to_string();
        debug!(error, topic, "the partitions of topic {topic} are lost");
    }
}
