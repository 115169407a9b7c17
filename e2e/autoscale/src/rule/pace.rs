use std::time::Duration;

use crate::{Behavior, Direction, Policy, Select, Step};

/// How far the policies let the number of instances go at the moment.
#[derive(Debug)]
pub(super) struct Pace {
    behavior: Behavior,
    /// By how much it was changed, and when.
    changes: Vec<(Duration, i64)>,
}

impl Pace {
    pub(super) fn new(behavior: Behavior) -> Self {
        Self {
            behavior,
            changes: Vec::new(),
        }
    }

    pub(super) fn changed(&mut self, now: Duration, from: u32, to: u32) {
        let Behavior { up, down } = &self.behavior;
        let policies = up.policies.iter().chain(&down.policies);
        let longest = policies.map(|policy| policy.period).max();
        let longest = longest.unwrap_or_default();
        self.changes.retain(|(at, _)| *at + longest > now);
        self.changes.push((now, i64::from(to) - i64::from(from)));
    }

    /// How many there may be at most.
    pub(super) fn most(&self, now: Duration, current: u32) -> u32 {
        let Direction {
            policies, select, ..
        } = &self.behavior.up;
        let allowed = policies.iter().map(|policy| {
            let start = self.at_start_of(policy, now, current);
            let value = i64::from(policy.value);
            match policy.step {
                Step::Pods => start + value,
                // Rounded up.
                Step::Percent => (start * (100 + value) + 99) / 100,
            }
        });
        let most = match select {
            Select::Max => allowed.max(),
            Select::Min => allowed.min(),
            Select::Disabled => None,
        };
        instances(most, current)
    }

    /// How many there have to be at least.
    pub(super) fn fewest(&self, now: Duration, current: u32) -> u32 {
        let Direction {
            policies, select, ..
        } = &self.behavior.down;
        let allowed = policies.iter().map(|policy| {
            let start = self.at_start_of(policy, now, current);
            let value = i64::from(policy.value);
            match policy.step {
                Step::Pods => start - value,
                // Rounded down.
                Step::Percent => start * (100 - value).max(0) / 100,
            }
        });
        let fewest = match select {
            Select::Max => allowed.min(),
            Select::Min => allowed.max(),
            Select::Disabled => None,
        };
        instances(fewest, current)
    }

    /// How many there were when the period of a policy began that ends now.
    fn at_start_of(&self, policy: &Policy, now: Duration, current: u32) -> i64 {
        let changes = self.changes.iter();
        let within = changes.filter(|(at, _)| *at + policy.period > now);
        let change: i64 = within.map(|(_, change)| change).sum();
        (i64::from(current) - change).max(0)
    }
}

/// As many as are allowed; as many as now where nothing is.
fn instances(allowed: Option<i64>, current: u32) -> u32 {
    let allowed = allowed.unwrap_or(i64::from(current)).max(0);
    u32::try_from(allowed).unwrap_or(u32::MAX)
}
