use std::time::Duration;

use super::super::pace;

/// More orders than these are no demonstration any more: each leaves rows and messages behind.
pub(super) const MOST_ORDERS: u64 = 100_000;

/// A sale as somebody wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) rate_per_s: u32,
    pub(super) seconds: u32,
    /// Who wants it.
    pub(super) by: String,
}

impl Plan {
    pub(super) fn time(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    pub(super) fn orders(&self) -> u64 {
        u64::from(self.rate_per_s) * u64::from(self.seconds)
    }

    /// How many orders should have come when the sale has gone on for so long.
    pub(super) fn due(&self, elapsed: Duration) -> u64 {
        pace::due(elapsed, self.rate_per_s.into()).min(self.orders())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_come_by_the_clock_until_all_have_come() {
        let plan = Plan {
            rate_per_s: 20,
            seconds: 3,
            by: "Ada".to_owned(),
        };
        let due = [0, 1_010, 2_990, 3_010, 60_000];
        let due = due.map(|ms| plan.due(Duration::from_millis(ms)));
        assert_eq!(due, [1, 21, 60, 60, 60]);
    }
}
