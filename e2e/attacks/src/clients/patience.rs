use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// How long a client goes on asking once everything is healed.
const LIMIT: Duration = Duration::from_secs(60);

/// The pause after the first try; each one is twice as long as the one before, up to the longest, and by
/// chance up to twice that. Thousands who wait would otherwise be a load that hinders what they wait for.
const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(2);

/// How a client waits for an answer: until everything is healed, and a while longer.
pub(super) struct Patience {
    began: Instant,
    healed: watch::Receiver<Option<Instant>>,
    pauses: ExponentialBackoff,
}

impl Patience {
    /// Of a client that begins to ask now. It is told when everything was healed.
    pub(super) fn new(healed: watch::Receiver<Option<Instant>>, seed: u64) -> Self {
        Self {
            began: Instant::now(),
            healed,
            pauses: ExponentialBuilder::new()
                .with_min_delay(SHORTEST)
                .with_max_delay(LONGEST)
                .without_max_times()
                .with_jitter()
                .with_jitter_seed(seed)
                .build(),
        }
    }

    /// A pause before the next try, unless it is time to give up.
    pub(super) async fn wait(&mut self) -> bool {
        let healed = *self.healed.borrow();
        // Who comes only after the heal has as much patience as everybody.
        if healed.is_some_and(|healed| healed.max(self.began).elapsed() >= LIMIT) {
            return false;
        }
        sleep(self.pauses.next().unwrap_or(LONGEST)).await;
        true
    }
}
