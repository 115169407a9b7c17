use std::time::Duration;

use contracts::Control;
use tokio::time::Instant;

/// After so long without a word nothing is asked any more: whoever asked may be gone.
const SILENCE: Duration = Duration::from_secs(5);

/// What is asked of a service, and until when that holds.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    control: Control,
    ends: Instant,
}

impl Asked {
    /// What was said about this service right now, if anything is asked of it.
    pub(super) fn of(service: &str, said: &contracts::Controls, now: Instant) -> Option<Self> {
        let mut services = said.services.iter();
        let control = services.find(|control| control.service == service)?;
        let asks = control.pause
            || control.slow_ms > 0
            || control.fail_percent > 0
            || control.refuse_email;
        let remaining = Duration::from_millis(control.remaining_ms.into());
        asks.then(|| Self {
            control: control.clone(),
            ends: now + remaining.min(SILENCE),
        })
    }

    /// When it ends, if nobody says anything until then.
    pub(super) fn ends(&self) -> Instant {
        self.ends
    }

    /// What is asked for at this time; nothing once that is over.
    pub(super) fn in_force(&self, now: Instant) -> Option<&Control> {
        (now < self.ends).then_some(&self.control)
    }
}
