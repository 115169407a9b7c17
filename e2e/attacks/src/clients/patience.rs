use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use fastrand::Rng;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// How long a client goes on asking once everything is healed.
const LIMIT: Duration = Duration::from_secs(60);

/// The pause after the first try; each one is twice as long as the one before, up to the longest, and by
/// chance up to twice that. Thousands who wait would otherwise be a load that hinders what they wait for.
const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(8);
/// The same once everything is healed: then there is an answer for everybody.
const LONGEST_WHEN_HEALED: Duration = Duration::from_secs(2);

/// How a client waits for an answer: until everything is healed, and a while longer.
pub(super) struct Patience {
    began: Instant,
    healed: watch::Receiver<Option<Instant>>,
    pauses: ExponentialBackoff,
    rng: Rng,
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
            rng: Rng::with_seed(seed),
        }
    }

    /// A pause before the next try, unless it is time to give up.
    pub(super) async fn wait(&mut self) -> bool {
        let healed = *self.healed.borrow();
        // Who comes only after the heal has as much patience as everybody.
        if healed.is_some_and(|healed| healed.max(self.began).elapsed() >= LIMIT) {
            return false;
        }
        let pause = self.pauses.next().unwrap_or(LONGEST);
        let soon = LONGEST_WHEN_HEALED.mul_f64(0.5 + self.rng.f64());
        if healed.is_some() {
            sleep(pause.min(soon)).await;
            return true;
        }
        let is_healed = async { self.healed.wait_for(Option::is_some).await.is_ok() };
        tokio::select! {
            () = sleep(pause) => {}
            // Not all at once.
            true = is_healed => sleep(pause.min(soon)).await,
        }
        true
    }
}
