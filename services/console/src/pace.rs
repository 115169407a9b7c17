use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

/// Ticks at this pace, the first time at once. What was late is not made up for.
pub(crate) fn every(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
