use std::time::{Duration, Instant};

/// One line for an address in so much time.
pub(super) const LINE: Duration = Duration::from_secs(60);

/// How often something was refused since it was last said.
#[derive(Default)]
pub(super) struct Line {
    said: Option<Instant>,
    pub(super) unsaid: usize,
}

impl Line {
    /// Counts, and returns how many are to be told of, if it is time for it.
    pub(super) fn refused(&mut self, count: usize, now: Instant) -> Option<usize> {
        self.unsaid += count;
        let is_time = self
            .said
            .is_none_or(|said| now.duration_since(said) >= LINE);
        is_time.then(|| {
            self.said = Some(now);
            std::mem::take(&mut self.unsaid)
        })
    }
}
