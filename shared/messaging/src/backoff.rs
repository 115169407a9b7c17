use std::time::Duration;

use backon::BackoffBuilder;

/// Pauses between attempts to reach a broker or the database: 100 ms at first and at most two
/// seconds, with jitter so that instances do not move in step. They never end.
pub(crate) struct Backoff {
    pauses: backon::ExponentialBackoff,
}

impl Backoff {
    const SHORTEST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(2);

    pub(crate) fn next_pause(&mut self) -> Duration {
        self.pauses.next().unwrap_or(Self::LONGEST)
    }
}

impl Default for Backoff {
    fn default() -> Self {
        let pauses = backon::ExponentialBuilder::default()
            .with_min_delay(Self::SHORTEST)
            .with_max_delay(Self::LONGEST)
            .with_jitter()
            .without_max_times()
            .build();
        Self { pauses }
    }
}
