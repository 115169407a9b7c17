use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use uuid::Uuid;

/// A batch waits no longer than this: partitions and messages are held meanwhile, and a stop should not
/// have to wait either.
const LONGEST: Duration = Duration::from_secs(2);

/// How many messages may be in a batch, so that waiting for each takes no longer than [`LONGEST`].
pub(super) fn batch(limit: usize, slow_ms: u16) -> usize {
    let fit = LONGEST.as_millis().checked_div(slow_ms.into());
    let fit = fit.map_or(limit, |fit| usize::try_from(fit).unwrap_or(limit));
    limit.min(fit).max(1)
}

/// How long a batch of so many messages waits. It may have been filled before that was asked for.
pub(super) fn pause_before(messages: usize, slow_ms: u16) -> Duration {
    let messages = u32::try_from(messages).unwrap_or(u32::MAX);
    let each = Duration::from_millis(slow_ms.into());
    each.saturating_mul(messages).min(LONGEST)
}

/// Whether this attempt belongs to the share. By a hash and not by dice: a batch that fails is tried again
/// one by one, and then the same messages have to fail, while another attempt may succeed.
pub(super) fn is_of_share(message: Uuid, failed_before: u32, percent: u8) -> bool {
    let mut hasher = DefaultHasher::new();
    (message, failed_before).hash(&mut hasher);
    hasher.finish() % 100 < percent.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_cut_so_that_it_waits_for_two_seconds_at_most() {
        for (limit, slow_ms, expected) in [
            (500, 0, 500),
            (500, 1, 500),
            (500, 10, 200),
            (500, 300, 6),
            (500, 2_000, 1),
            (500, u16::MAX, 1),
            (1, 300, 1),
            (5, 300, 5),
        ] {
            let cut = batch(limit, slow_ms);
            assert_eq!(cut, expected, "{limit} messages, {slow_ms} ms each");
            assert!(pause_before(cut, slow_ms) <= LONGEST);
        }
    }

    #[test]
    fn a_batch_that_was_filled_before_waits_for_two_seconds_at_most() {
        assert_eq!(pause_before(500, 2_000), LONGEST);
        assert_eq!(pause_before(usize::MAX, u16::MAX), LONGEST);
        assert_eq!(pause_before(3, 100), Duration::from_millis(300));
        assert_eq!(pause_before(3, 0), Duration::ZERO);
    }

    #[test]
    fn a_share_of_the_attempts_fails_and_always_the_same_ones() {
        let messages: Vec<_> = (0..10_000).map(Uuid::from_u128).collect();
        for percent in [0, 1, 30, 99, 100] {
            let fails = |attempt| move |id: &&Uuid| is_of_share(**id, attempt, percent);
            let failed: Vec<_> = messages.iter().filter(fails(0)).collect();
            let expected = 100 * usize::from(percent);
            assert!(failed.len().abs_diff(expected) < 200, "{}", failed.len());
            let again: Vec<_> = messages.iter().filter(fails(0)).collect();
            assert_eq!(failed, again);
        }
    }

    #[test]
    fn another_attempt_of_the_same_message_may_succeed() {
        let messages: Vec<_> = (0..10_000).map(Uuid::from_u128).collect();
        let twice = |id: &&Uuid| is_of_share(**id, 0, 50) && is_of_share(**id, 1, 50);
        let twice = messages.iter().filter(twice).count();
        assert!(twice.abs_diff(2_500) < 200, "{twice}");
    }
}
