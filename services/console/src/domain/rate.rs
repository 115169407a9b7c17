use std::collections::VecDeque;

/// The window over which a rate is taken, in seconds: long enough that numbers which the broker refreshes once a
/// second do not flicker.
const WINDOW: f64 = 5.0;

/// How fast a counter of ours rises.
#[derive(Debug, Clone, Default)]
pub struct Rate {
    samples: VecDeque<(f64, u64)>,
}

impl Rate {
    /// Takes in what the counter is now. One that goes back begins anew.
    pub fn observe(&mut self, now: f64, count: u64) {
        if (self.samples.back()).is_some_and(|&(at, before)| count < before || now <= at) {
            self.samples.clear();
        }
        self.samples.push_back((now, count));
        while self.samples.len() > 2
            && self
                .samples
                .get(1)
                .is_some_and(|(at, _)| *at < now - WINDOW)
        {
            self.samples.pop_front();
        }
    }

    /// Per second; unknown before the second sample.
    #[must_use]
    pub fn per_second(&self) -> Option<f64> {
        let (first, last) = (self.samples.front()?, self.samples.back()?);
        let seconds = last.0 - first.0;
        (seconds > 0.0).then(|| (last.1 - first.1) as f64 / seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(samples: &[(f64, u64)]) -> Option<f64> {
        let mut rate = Rate::default();
        for &(at, count) in samples {
            rate.observe(at, count);
        }
        rate.per_second()
    }

    #[test]
    fn one_sample_says_nothing() {
        assert_eq!(rate(&[]), None);
        assert_eq!(rate(&[(1.0, 10)]), None);
    }

    #[test]
    fn a_rate_is_taken_over_the_last_seconds() {
        assert_eq!(rate(&[(0.0, 0), (1.0, 100), (2.0, 200)]), Some(100.0));
        let old: Vec<_> = (0..60).map(|second| (f64::from(second), 0)).collect();
        let burst: Vec<_> = (60..70)
            .map(|second| (f64::from(second), (u64::from(second as u32) - 59) * 10))
            .collect();
        assert_eq!(rate(&[old, burst].concat()), Some(10.0));
    }

    #[test]
    fn a_gap_is_averaged_and_a_counter_that_goes_back_begins_anew() {
        assert_eq!(rate(&[(0.0, 0), (100.0, 1_000)]), Some(10.0));
        assert_eq!(rate(&[(0.0, 500), (1.0, 600), (2.0, 3)]), None);
        assert_eq!(rate(&[(0.0, 500), (1.0, 3), (2.0, 5)]), Some(2.0));
    }

    #[test]
    fn a_clock_that_stands_still_or_goes_back_begins_anew() {
        assert_eq!(rate(&[(5.0, 0), (5.0, 10)]), None);
        assert_eq!(rate(&[(5.0, 0), (4.0, 10), (5.0, 20)]), Some(10.0));
    }
}
