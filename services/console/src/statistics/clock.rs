use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// Seconds since the process began, by a clock that never goes back, and what they are called by the clock on the
/// wall.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Clock {
    /// Now, in seconds.
    #[must_use]
    pub fn now(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// What the clock on the wall said at that moment, as it is set now.
    #[must_use]
    pub fn on_the_wall(&self, moment: f64) -> Timestamp {
        let ago = SignedDuration::try_from_secs_f64(self.now() - moment).unwrap_or_default();
        Timestamp::now().checked_sub(ago).unwrap_or_default()
    }

    /// The moment at which the clock on the wall said this. What lies in the future is now.
    #[must_use]
    pub fn moment(&self, wall: Timestamp) -> f64 {
        let ago = Timestamp::now().duration_since(wall);
        self.now() - Duration::try_from(ago).unwrap_or_default().as_secs_f64()
    }
}
