use std::time::Duration;

use anyhow::{Context, Result};
use checker::{Observer, Pending};
use tokio::time::{Instant, sleep};

use super::Clients;

/// What has not moved for so long will not move any more: longer than the payment deadline and the
/// longest pause between two attempts.
const QUIET: Duration = Duration::from_secs(60);
/// How often is looked again.
const PAUSE: Duration = Duration::from_millis(200);

/// How long after the heal the system had caught up.
pub(super) struct Rest {
    /// Every order was placed and decided upon.
    pub(super) drained: Duration,
    /// Every customer was told as well.
    pub(super) delivered: Duration,
}

/// Waits until no client wants anything any more and nothing is on its way, however long that takes as
/// long as something moves. What is stuck is judged as it is.
pub(super) async fn rest(observer: &Observer, clients: &Clients, healed: Instant) -> Result<Rest> {
    let (mut drained, mut delivered) = (None, None);
    let mut last = Pending::default();
    let (mut moved, mut seen) = (Instant::now(), Instant::now());
    loop {
        let began = Instant::now();
        // Asked first, so that what came in between is not overlooked.
        let (is_placed, is_over) = (clients.is_placed(), clients.is_over());
        match observer.pending().await {
            Ok(pending) => {
                seen = Instant::now();
                if pending != last || !is_over {
                    (last, moved) = (pending, seen);
                }
            }
            Err(error) if seen.elapsed() > QUIET => {
                return Err(error).context("nothing can be seen of the system");
            }
            Err(_) => {
                sleep(PAUSE).await;
                continue;
            }
        }
        if is_placed && last.is_drained() {
            drained.get_or_insert_with(|| healed.elapsed());
        }
        if is_placed && last.is_delivered() {
            delivered.get_or_insert_with(|| healed.elapsed());
        }
        let is_done = is_over && last.is_delivered() && last.unpaid == 0;
        if is_done && observer.queues_are_empty().await.unwrap_or(false) {
            break;
        }
        if moved.elapsed() > QUIET {
            eprintln!("nothing moves any more, and this is left: {last:?}");
            say_what_is_left(observer).await;
            break;
        }
        // Looking must not become the load where it takes long.
        sleep(PAUSE.max(4 * began.elapsed())).await;
    }
    let or_now = |time: Option<Duration>| time.unwrap_or_else(|| healed.elapsed());
    Ok(Rest {
        drained: or_now(drained),
        delivered: or_now(delivered),
    })
}

/// The logs do not say who holds a message, and the brokers are gone once the run is over.
async fn say_what_is_left(observer: &Observer) {
    match observer.left().await {
        Ok(lines) => lines.iter().for_each(|line| eprintln!("  {line}")),
        Err(error) => eprintln!("  what the brokers hold cannot be seen: {error:#}"),
    }
}
