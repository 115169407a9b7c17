use std::time::Duration;

use fastrand::Rng;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// How long a client goes on asking once everything is healed.
const LIMIT: Duration = Duration::from_secs(60);

/// How a client waits for an answer: until everything is healed, and a while longer.
pub(super) struct Patience {
    began: Instant,
    healed: watch::Receiver<Option<Instant>>,
    rng: Rng,
}

impl Patience {
    /// Of a client that begins to ask now. It is told when everything was healed.
    pub(super) fn new(healed: watch::Receiver<Option<Instant>>, rng: Rng) -> Self {
        Self {
            began: Instant::now(),
            healed,
            rng,
        }
    }

    /// A pause before the next try, unless it is time to give up.
    pub(super) async fn wait(&mut self) -> bool {
        let healed = *self.healed.borrow();
        // Who comes only after the heal has as much patience as everybody.
        if healed.is_some_and(|healed| healed.max(self.began).elapsed() >= LIMIT) {
            return false;
        }
        sleep(Duration::from_millis(self.rng.u64(200..1_500))).await;
        true
    }
}
