use std::mem;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A batch of so many says that more are on their way.
const MANY: usize = 8;

/// From the beginning of a batch of many to that of the next, at least.
const GAP: Duration = Duration::from_millis(20);

/// And at most.
const LONGEST: Duration = Duration::from_millis(60);

/// So many times as long as the batch took. Whoever is slow to handle it, because the machine is busy, takes more at once.
const TIMES: u32 = 3;

/// When the next batch is taken of something that comes in one by one.
///
/// A batch costs its round trips, its commit and its wake-ups whatever its size. So a lone message is handled at
/// once, but where many come, those that arrive within 20 ms share a batch, and within up to 60 ms where batches take
/// long. A batch that is full is followed by the next without a pause, because there is no more to be had from waiting.
#[derive(Debug, Default)]
pub struct Pace {
    /// When the last batch was taken, if it was one of many.
    began: Option<Instant>,
    /// How long it took, as far as that was told.
    lasted: Duration,
}

impl Pace {
    /// Waits until the next batch may be taken.
    pub async fn wait(&mut self) {
        let lasted = mem::take(&mut self.lasted);
        if let Some(began) = self.began.take() {
            sleep_until(began + gap(lasted)).await;
        }
    }

    /// A batch of so many was taken just now, of at most so many.
    pub fn took(&mut self, count: usize, limit: usize) {
        self.began = is_followed_by_a_pause(count, limit).then(Instant::now);
    }

    /// The last batch is done with.
    pub fn ended(&mut self) {
        self.lasted = self.began.map_or(Duration::ZERO, |began| began.elapsed());
    }
}

fn is_followed_by_a_pause(count: usize, limit: usize) -> bool {
    (MANY..limit).contains(&count)
}

/// How long after the beginning of a batch that took so long the next one may begin.
fn gap(lasted: Duration) -> Duration {
    lasted.saturating_mul(TIMES).clamp(GAP, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 200;

    #[test]
    fn only_a_batch_of_many_that_is_not_full_is_followed_by_a_pause() {
        for count in [0, 1, MANY - 1, LIMIT] {
            assert!(!is_followed_by_a_pause(count, LIMIT), "{count}");
        }
        for count in [MANY, LIMIT - 1] {
            assert!(is_followed_by_a_pause(count, LIMIT), "{count}");
        }
    }

    #[test]
    fn a_batch_that_cannot_be_of_many_is_never_followed_by_a_pause() {
        for limit in 0..=MANY {
            assert!(!is_followed_by_a_pause(limit, limit), "{limit}");
        }
    }

    #[test]
    fn the_longer_a_batch_takes_the_more_share_the_next_one_within_limits() {
        let gaps = [0, 5, 10, 15, 20, 10_000].map(|took| gap(Duration::from_millis(took)));
        assert_eq!(gaps.map(|gap| gap.as_millis()), [20, 20, 30, 45, 60, 60]);
        assert_eq!(gap(Duration::MAX), LONGEST);
    }

    #[tokio::test]
    async fn a_pause_is_kept_and_kept_once() {
        let mut pace = Pace::default();
        let began = Instant::now();
        pace.took(MANY, LIMIT);
        pace.ended();
        pace.wait().await;
        assert!(began.elapsed() >= GAP);
        assert_eq!((pace.began, pace.lasted), (None, Duration::ZERO));
    }
}
