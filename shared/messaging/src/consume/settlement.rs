use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::runner::Outcome;
use crate::faults::{Guarantee, without};
use crate::handler::Failure;

/// So many bytes of a reason are told, which may quote whatever a producer has written.
const LONGEST_REASON: usize = 1024;

/// The retry policy, the same for both brokers: which failure is tried again after which pause, and
/// when a message becomes a dead letter.
#[derive(Debug, Clone)]
pub(crate) struct RetryPolicy {
    delays: Arc<[Duration]>,
}

/// What becomes of a message after an attempt to handle it.
#[derive(Debug)]
pub(crate) enum Settlement {
    /// It is done with.
    Done,
    /// It is tried again after a pause.
    Again {
        pause: Duration,
        /// How many attempts have failed, this one included.
        attempts: u32,
        error: anyhow::Error,
    },
    /// It becomes a dead letter, and then is done with.
    DeadLetter {
        /// How many attempts have failed, this one included.
        attempts: u32,
        reason: String,
        /// Nobody knows whether it was handled: which doubt that is.
        doubt: Option<Uuid>,
    },
    /// It was not tried, because an earlier message is tried again first: it stays behind that one.
    Behind,
}

impl RetryPolicy {
    /// `delays` are the pauses before the second, third, ... attempt.
    pub(crate) fn new(delays: &[Duration]) -> Self {
        let delays = if without(Guarantee::Retry) {
            &[]
        } else {
            delays
        };
        Self {
            delays: delays.into(),
        }
    }

    /// The same, with more pauses after the last.
    pub(crate) fn and_then(&self, more: &[Duration]) -> Self {
        let delays: Vec<_> = self.delays.iter().chain(more).copied().collect();
        Self::new(&delays)
    }

    /// All pauses that a message may have to wait.
    pub(crate) fn delays(&self) -> &[Duration] {
        &self.delays
    }

    /// How often a message is tried before it becomes a dead letter.
    pub(crate) fn attempts(&self) -> usize {
        self.delays.len() + 1
    }

    /// What becomes of a message with this outcome, when so many attempts had failed before.
    pub(crate) fn settle(&self, outcome: Outcome, failed_before: u32) -> Settlement {
        let (failure, doubt) = match outcome {
            Outcome::Done | Outcome::Duplicate => return Settlement::Done,
            Outcome::Behind => return Settlement::Behind,
            Outcome::Failed(failure) => (failure, None),
            Outcome::Doubtful(failure, doubt) => (failure, Some(doubt)),
        };
        let attempts = failed_before.saturating_add(1);
        match (failure, self.pause_after(failed_before)) {
            (Failure::Retry(error), Some(pause)) => Settlement::Again {
                pause,
                attempts,
                error,
            },
            (failure, _) => {
                let mut reason = failure.to_string();
                reason.truncate(reason.floor_char_boundary(LONGEST_REASON));
                Settlement::DeadLetter {
                    attempts,
                    reason,
                    doubt,
                }
            }
        }
    }

    fn pause_after(&self, failed_before: u32) -> Option<Duration> {
        let step = usize::try_from(failed_before).ok()?;
        self.delays.get(step).copied()
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    /// A settlement in one line.
    fn settled(policy: &RetryPolicy, outcome: Outcome, failed_before: u32) -> String {
        match policy.settle(outcome, failed_before) {
            Settlement::Done => "done".to_owned(),
            Settlement::Again {
                pause,
                attempts,
                error,
            } => format!("again after {pause:?}, {attempts} failed: {error:#}"),
            Settlement::DeadLetter {
                attempts, reason, ..
            } => {
                format!("dead letter after {attempts} attempts: {reason}")
            }
            Settlement::Behind => "behind".to_owned(),
        }
    }

    #[test]
    fn every_outcome_is_settled_by_how_often_the_message_has_failed() {
        let retry = || Outcome::Failed(Failure::retry(anyhow!("late").context("no stock")));
        let reject = || Outcome::Failed(Failure::reject("no such order"));
        let policy = RetryPolicy::new(&[Duration::from_secs(1), Duration::from_secs(5)]);
        for (outcome, failed_before, expected) in [
            (Outcome::Done, 0, "done"),
            (Outcome::Done, 2, "done"),
            (Outcome::Duplicate, 0, "done"),
            (Outcome::Duplicate, 2, "done"),
            (Outcome::Behind, 0, "behind"),
            (Outcome::Behind, 2, "behind"),
            (retry(), 0, "again after 1s, 1 failed: no stock: late"),
            (retry(), 1, "again after 5s, 2 failed: no stock: late"),
            (retry(), 2, "dead letter after 3 attempts: no stock: late"),
            (
                retry(),
                u32::MAX,
                "dead letter after 4294967295 attempts: no stock: late",
            ),
            (reject(), 0, "dead letter after 1 attempts: no such order"),
            (reject(), 1, "dead letter after 2 attempts: no such order"),
        ] {
            assert_eq!(settled(&policy, outcome, failed_before), expected);
        }
    }

    #[test]
    fn without_delays_the_first_failure_is_the_last() {
        let failure = Outcome::Failed(Failure::retry(anyhow!("late")));
        let settled = settled(&RetryPolicy::new(&[]), failure, 0);
        assert_eq!(settled, "dead letter after 1 attempts: late");
    }
}
