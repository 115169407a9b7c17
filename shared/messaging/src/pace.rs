use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A batch of so many says that more are on their way.
const MANY: usize = 8;

/// From the beginning of a batch of many to that of the next.
const GAP: Duration = Duration::from_millis(20);

/// When the next batch is taken of something that comes in one by one.
///
/// A batch costs its round trips, its commit and its wake-ups whatever its size. So a lone message is handled at
/// once, but where many come, those that arrive within 20 ms share a batch. A batch that is full is followed by the
/// next without a pause, because there is no more to be had from waiting.
#[derive(Debug, Default)]
pub struct Pace {
    not_before: Option<Instant>,
}

impl Pace {
    /// Waits until the next batch may be taken.
    pub async fn wait(&mut self) {
        if let Some(not_before) = self.not_before.take() {
            sleep_until(not_before).await;
        }
    }

    /// A batch of so many was taken just now, of at most so many.
    pub fn took(&mut self, count: usize, limit: usize) {
        self.not_before = next(Instant::now(), count, limit);
    }
}

/// Not before which moment the next batch is taken, if it has to wait at all.
fn next(began: Instant, count: usize, limit: usize) -> Option<Instant> {
    (MANY..limit).contains(&count).then(|| began + GAP)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 200;

    #[test]
    fn only_a_batch_of_many_that_is_not_full_is_followed_by_a_pause() {
        let began = Instant::now();
        for count in [0, 1, MANY - 1, LIMIT] {
            assert_eq!(next(began, count, LIMIT), None, "{count}");
        }
        for count in [MANY, LIMIT - 1] {
            assert_eq!(next(began, count, LIMIT), Some(began + GAP), "{count}");
        }
    }

    #[test]
    fn a_batch_that_cannot_be_of_many_is_never_followed_by_a_pause() {
        for limit in 0..=MANY {
            assert_eq!(next(Instant::now(), limit, limit), None, "{limit}");
        }
    }

    #[tokio::test]
    async fn a_pause_is_kept_and_kept_once() {
        let mut pace = Pace::default();
        let began = Instant::now();
        pace.took(MANY, LIMIT);
        pace.wait().await;
        assert!(began.elapsed() >= GAP);
        assert_eq!(pace.not_before, None);
    }
}
