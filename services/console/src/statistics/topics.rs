use std::collections::BTreeMap;

use messaging::{GroupProgress, Head, TopicProgress};

use super::Clock;
use crate::domain::Rate;

/// All topics, and how far each group has come in them.
#[derive(Default)]
pub struct Topics {
    states: BTreeMap<&'static str, TopicState>,
}

/// One topic.
#[derive(Default)]
pub struct TopicState {
    /// When Kafka said so.
    pub at: f64,
    /// For each partition, how many records were ever written to it.
    pub ends: Vec<i64>,
    /// Records per second that come.
    pub arriving: Rate,
    /// The groups that read it, by name.
    pub groups: BTreeMap<String, GroupState>,
}

/// One consumer group.
#[derive(Default)]
pub struct GroupState {
    /// How many consumers belong to it.
    pub members: usize,
    /// Records per second that it is done with.
    pub leaving: Rate,
    /// Its partitions, by number.
    pub partitions: Vec<PartitionState>,
}

/// How far a group has come in one partition.
#[derive(Debug, Clone, Default)]
pub struct PartitionState {
    /// The offset that it has committed, if it has committed any.
    pub committed: Option<i64>,
    /// How many records are left to handle.
    pub lag: u64,
    /// The first of them.
    pub head: Option<Head>,
    /// Since when it has not come any further while there was something to handle.
    pub standing_since: f64,
}

impl PartitionState {
    /// How long the first record that is left has been waiting, in seconds, if it could be read.
    #[must_use]
    pub fn age(&self, clock: Clock) -> Option<f64> {
        let head = self.head.as_ref()?;
        Some(clock.now() - clock.moment(head.time))
    }
}

impl GroupState {
    /// How many records are left to handle in all its partitions.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.partitions.iter().map(|one| one.lag).sum()
    }

    /// How many records it is done with, in all its partitions.
    #[must_use]
    pub fn committed(&self) -> u64 {
        let offsets = self.partitions.iter().filter_map(|one| one.committed);
        offsets
            .map(|offset| u64::try_from(offset).unwrap_or_default())
            .sum()
    }

    fn observe(&mut self, now: f64, progress: GroupProgress, ends: &[i64]) {
        self.members = progress.members;
        let new = || PartitionState {
            standing_since: now,
            ..PartitionState::default()
        };
        self.partitions.resize_with(ends.len(), new);
        let heads = progress.heads.into_iter().chain(std::iter::repeat(None));
        let seen = progress.committed.iter().zip(heads).zip(ends);
        let mut done = 0;
        for (one, ((committed, head), end)) in self.partitions.iter_mut().zip(seen) {
            let lag = u64::try_from(end - committed.unwrap_or_default()).unwrap_or_default();
            if one.committed != *committed || lag == 0 {
                one.standing_since = now;
            }
            *one = PartitionState {
                committed: *committed,
                lag,
                head,
                standing_since: one.standing_since,
            };
            done += u64::try_from(committed.unwrap_or_default()).unwrap_or_default();
        }
        self.leaving.observe(now, done);
    }
}

impl Topics {
    /// Takes in what Kafka says. Topics and groups that are gone are forgotten.
    pub(super) fn observe(&mut self, now: f64, topics: Vec<TopicProgress>) {
        let mut before = std::mem::take(&mut self.states);
        for progress in topics {
            let mut state = before.remove(progress.topic).unwrap_or_default();
            let written: i64 = progress.ends.iter().sum();
            state
                .arriving
                .observe(now, u64::try_from(written).unwrap_or_default());
            let mut known = std::mem::take(&mut state.groups);
            for group in progress.groups {
                let name = group.group.clone();
                let mut of = known.remove(&name).unwrap_or_default();
                of.observe(now, group, &progress.ends);
                state.groups.insert(name, of);
            }
            state.at = now;
            state.ends = progress.ends;
            self.states.insert(progress.topic, state);
        }
    }

    /// For how many seconds the first record that was left to this service had been waiting when that was last looked at,
    /// in any topic. Unknown if the first record of a partition could not be read.
    pub(super) fn oldest_of(&self, service: &str, clock: Clock) -> Option<f64> {
        let mut oldest: f64 = 0.0;
        for state in self.states.values() {
            let since = clock.now() - state.at;
            let groups = state.groups.iter();
            let own = groups.filter(|(name, _)| name.split('.').next() == Some(service));
            let partitions = own.flat_map(|(_, group)| &group.partitions);
            for partition in partitions.filter(|one| one.lag > 0) {
                oldest = oldest.max(partition.age(clock)? - since);
            }
        }
        Some(oldest)
    }

    /// Every topic, by name.
    pub fn states(&self) -> impl Iterator<Item = (&str, &TopicState)> {
        self.states.iter().map(|(name, state)| (*name, state))
    }
}
