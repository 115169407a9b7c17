/// For how long a broker may be silent before it counts as away, in seconds.
const PATIENCE: f64 = 3.0;

/// Whether a broker answers, and since when that is so. Moments are those of the [`Clock`](super::Clock).
#[derive(Debug, Clone, Default)]
pub struct BrokerState {
    up: Option<bool>,
    since: f64,
    error: Option<String>,
    at: Option<f64>,
}

impl BrokerState {
    /// It has answered.
    pub(super) fn answered(&mut self, now: f64) {
        self.set(true, now);
        self.error = None;
        self.at = Some(now);
    }

    /// It has not, and why. One answer that does not come is no reason for alarm.
    pub(super) fn failed(&mut self, now: f64, error: &anyhow::Error) {
        if self.at.is_none_or(|at| now - at > PATIENCE) {
            self.set(false, now);
        }
        self.error = Some(format!("{error:#}"));
    }

    fn set(&mut self, up: bool, now: f64) {
        if self.up != Some(up) {
            self.up = Some(up);
            self.since = now;
        }
    }

    /// Unknown before it was asked.
    #[must_use]
    pub fn up(&self) -> Option<bool> {
        self.up
    }

    /// Since when it does or does not answer.
    #[must_use]
    pub fn since(&self) -> Option<f64> {
        self.up.map(|_| self.since)
    }

    /// Why it does not answer.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// When it last answered.
    #[must_use]
    pub fn at(&self) -> Option<f64> {
        self.at
    }
}
