//! The rule of the HorizontalPodAutoscaler, with metrics that KEDA gives it as `AverageValue`.

mod decision;
mod demand;
mod pace;

use std::time::Duration;

pub use self::decision::{Decision, Reason};
pub use self::demand::Sample;

use self::demand::demand;
use self::pace::Pace;
use crate::{Behavior, Limits};

/// Decides how many instances of a service there shall be, and remembers what that depends on. Times are counted from
/// any moment, as long as it is the same one.
#[derive(Debug)]
pub struct Rule {
    limits: Limits,
    window_up: Duration,
    window_down: Duration,
    pace: Pace,
    /// How many were wanted, and when.
    wanted: Vec<(Duration, u32)>,
}

impl Rule {
    /// Between these limits, at this pace.
    #[must_use]
    pub fn new(limits: Limits, behavior: Behavior) -> Self {
        Self {
            limits,
            window_up: behavior.up.window,
            window_down: behavior.down.window,
            pace: Pace::new(behavior),
            wanted: Vec::new(),
        }
    }

    /// How many instances there shall be, where there are `current` now and this was counted.
    pub fn decide(&mut self, now: Duration, current: u32, samples: &[Sample]) -> Decision {
        let Limits { least, most } = self.limits;
        // So that nothing shrinks at once because somebody has just begun to look.
        if self.wanted.is_empty() {
            self.wanted.push((now, current));
        }
        let (to, wanted, reason) = if current == 0 {
            (0, None, Reason::Stopped)
        } else if current > most {
            (most, None, Reason::Most)
        } else if current < least {
            (least, None, Reason::Least)
        } else if let Some(wanted) = demand(samples, current) {
            let stable = self.stable(now, current, wanted);
            let (to, reason) = self.allowed(now, current, stable, wanted);
            (to, Some(wanted), reason)
        } else {
            (current, None, Reason::Unknown)
        };
        Decision {
            from: current,
            to,
            wanted,
            reason,
        }
    }

    /// What was decided has been done.
    pub fn done(&mut self, now: Duration, from: u32, to: u32) {
        self.pace.changed(now, from, to);
    }

    /// More only as far as all that was wanted within the window of growing asked for it, fewer only as far as all that
    /// was wanted within the window of shrinking allowed it.
    fn stable(&mut self, now: Duration, current: u32, wanted: u32) -> u32 {
        let is_within = |at: Duration, window: Duration| at + window > now;
        let within = |window: Duration| {
            let within = self
                .wanted
                .iter()
                .filter(move |(at, _)| is_within(*at, window));
            within.map(|(_, wanted)| *wanted)
        };
        let up = within(self.window_up).fold(wanted, u32::min);
        let down = within(self.window_down).fold(wanted, u32::max);
        let longest = self.window_up.max(self.window_down);
        self.wanted.retain(|(at, _)| is_within(*at, longest));
        self.wanted.push((now, wanted));
        current.max(up).min(down)
    }

    fn allowed(&self, now: Duration, current: u32, stable: u32, wanted: u32) -> (u32, Reason) {
        let Limits { least, most } = self.limits;
        if stable == current {
            let is_enough = wanted == current;
            let reason = if is_enough {
                Reason::Enough
            } else {
                Reason::Window
            };
            return (current, reason);
        }
        let (bound, at_limit) = if stable > current {
            let pace = self.pace.most(now, current).max(current);
            (pace.min(most), (pace >= most, Reason::Most))
        } else {
            let pace = self.pace.fewest(now, current).min(current);
            (pace.max(least), (pace <= least, Reason::Least))
        };
        let to = if stable > current {
            stable.min(bound)
        } else {
            stable.max(bound)
        };
        let reason = match at_limit {
            _ if to == stable => Reason::Demand,
            (true, limit) => limit,
            (false, _) => Reason::Pace,
        };
        (to, reason)
    }
}
