use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::backlog::Backlog;
use crate::duration::parse_interval;

/// How much may wait in the outbox before a service should take no new work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Args)]
pub struct OutboxLimits {
    /// Rows in the outbox from which on new work is refused.
    #[arg(long, env = "OUTBOX_LIMIT", default_value_t = 200_000, value_parser = clap::value_parser!(i64).range(1..))]
    pub outbox_limit: i64,

    /// Age of the oldest row from which on new work is refused; no limit without it.
    #[arg(long, env = "OUTBOX_MAX_AGE", value_parser = parse_interval)]
    pub outbox_max_age: Option<Duration>,
}

/// For so long the database may answer without being able to say what waits. Then the outbox counts as full. Time in
/// which it does not answer does not count: nothing is accepted then anyway.
const STALE: Duration = Duration::from_secs(15);

/// Whether the outbox was over its limits when it was last measured: asking costs nothing, so that
/// every request may ask.
pub(crate) struct Pressure {
    limits: OutboxLimits,
    is_full: AtomicBool,
    unmeasured: Mutex<Unmeasured>,
}

/// For how long the database has answered since the last measurement.
struct Unmeasured {
    looked_at: Instant,
    time: Duration,
}

impl Pressure {
    pub(crate) fn new(limits: OutboxLimits) -> Self {
        Self {
            limits,
            is_full: AtomicBool::new(false),
            unmeasured: Mutex::new(Unmeasured::since(Instant::now())),
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Relaxed)
    }

    /// One row more than are allowed is all that has to be counted.
    pub(crate) fn countable(&self) -> i64 {
        self.limits.outbox_limit.saturating_add(1)
    }

    /// Takes note of what waits, for each of the brokers.
    pub(crate) fn measured(&self, backlogs: &[Backlog]) {
        *self.unmeasured() = Unmeasured::since(Instant::now());
        let rows: i64 = backlogs.iter().map(|backlog| backlog.rows).sum();
        let oldest = backlogs.iter().map(|backlog| backlog.oldest).max();
        let oldest = oldest.unwrap_or_default();
        let is_full = rows >= self.limits.outbox_limit
            || self.limits.outbox_max_age.is_some_and(|age| oldest >= age);
        if self.is_full.swap(is_full, Ordering::Relaxed) != is_full {
            if is_full {
                warn!(rows, ?oldest, "the outbox is full, new work is refused");
            } else {
                info!(rows, ?oldest, "the outbox has room again");
            }
        }
    }

    /// Takes note that the database answers and could not tell what waits.
    pub(crate) fn not_measured(&self, now: Instant) {
        let mut unmeasured = self.unmeasured();
        let since = now.saturating_duration_since(unmeasured.looked_at);
        unmeasured.time += since;
        unmeasured.looked_at = now;
        if unmeasured.time >= STALE && !self.is_full.swap(true, Ordering::Relaxed) {
            warn!("the outbox could not be measured for {STALE:?} and counts as full");
        }
    }

    /// Takes note that the database does not even answer.
    pub(crate) fn not_answered(&self, now: Instant) {
        self.unmeasured().looked_at = now;
    }

    fn unmeasured(&self) -> MutexGuard<'_, Unmeasured> {
        let unmeasured = self.unmeasured.lock();
        unmeasured.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Unmeasured {
    fn since(now: Instant) -> Self {
        Self {
            looked_at: now,
            time: Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backlog(rows: i64, seconds: u64) -> Backlog {
        let oldest = Duration::from_secs(seconds);
        Backlog { rows, oldest }
    }

    #[test]
    fn the_outbox_is_full_by_the_sum_of_its_rows() {
        let pressure = Pressure::new(OutboxLimits {
            outbox_limit: 10,
            outbox_max_age: None,
        });
        assert!(!pressure.is_full());
        for (kafka, is_full) in [(4, false), (5, true), (50, true), (4, false)] {
            pressure.measured(&[backlog(5, 9_999), backlog(kafka, 0)]);
            assert_eq!(pressure.is_full(), is_full, "{kafka}");
        }
    }

    #[test]
    fn an_outbox_that_cannot_be_measured_any_more_counts_as_full() {
        let pressure = Pressure::new(OutboxLimits {
            outbox_limit: 10,
            outbox_max_age: None,
        });
        pressure.measured(&[backlog(0, 0)]);
        pressure.not_measured(Instant::now());
        assert!(!pressure.is_full());
        pressure.not_measured(Instant::now() + STALE);
        assert!(pressure.is_full());
        pressure.measured(&[backlog(0, 0)]);
        assert!(!pressure.is_full());
    }

    #[test]
    fn the_time_of_an_outage_does_not_make_the_outbox_full() {
        let pressure = Pressure::new(OutboxLimits {
            outbox_limit: 10,
            outbox_max_age: None,
        });
        pressure.measured(&[backlog(0, 0)]);
        let back = Instant::now() + 100 * STALE;
        pressure.not_answered(back);
        pressure.not_measured(back + STALE / 2);
        assert!(!pressure.is_full());
        // Answers before another outage count all the same.
        pressure.not_answered(back + STALE);
        pressure.not_measured(back + STALE * 3 / 2);
        assert!(pressure.is_full());
    }

    #[test]
    fn the_outbox_is_full_by_the_age_of_its_oldest_row() {
        let pressure = Pressure::new(OutboxLimits {
            outbox_limit: 10,
            outbox_max_age: Some(Duration::from_secs(60)),
        });
        for (age, is_full) in [(59, false), (60, true), (0, false)] {
            pressure.measured(&[backlog(0, 0), backlog(1, age)]);
            assert_eq!(pressure.is_full(), is_full, "{age}");
        }
    }
}
