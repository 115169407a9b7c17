use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::metrics::ConsumeMetrics;
use super::outage::error_type;
use crate::handler::Failure;

/// A reason that keeps changing is logged no more often than this.
const LOG_PAUSE: Duration = Duration::from_secs(10);

/// What the consumers of a process hold because nothing can be handled, and why: for the log (a line
/// for each change), the metrics and the health of the process.
pub(crate) struct Holds {
    metrics: Arc<ConsumeMetrics>,
    held: Mutex<BTreeMap<&'static str, Held>>,
}

/// All that is held of one queue or topic.
struct Held {
    since: Instant,
    /// One for each batch.
    batches: usize,
    messages: usize,
    reason: String,
    error_type: String,
    logged: Instant,
}

impl Holds {
    pub(crate) fn new(metrics: Arc<ConsumeMetrics>) -> Self {
        Self {
            metrics,
            held: Mutex::default(),
        }
    }

    /// What is held and why, in a sentence for each destination; nothing if all goes well.
    pub(crate) fn report(&self) -> Option<String> {
        let mut report = String::new();
        for (destination, held) in &*self.lock() {
            let separator = if report.is_empty() { "" } else { "; " };
            let (messages, since) = (held.messages, held.since.elapsed().as_secs());
            let reason = &held.reason;
            write!(
                report,
                "{separator}{destination} holds {messages} messages for {since} s: {reason}"
            )
            .ok();
        }
        Some(report).filter(|report| !report.is_empty())
    }

    fn record(&self, destination: &'static str, held: &Held, messages: usize) {
        self.metrics.held(destination, &held.error_type, messages);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A batch that is held, until this is dropped.
pub(super) struct Hold {
    holds: Arc<Holds>,
    destination: &'static str,
    messages: usize,
    since: Instant,
}

impl Hold {
    pub(super) fn new(
        holds: &Arc<Holds>,
        destination: &'static str,
        messages: usize,
        outage: &Failure,
    ) -> Self {
        let now = Instant::now();
        let mut all = holds.lock();
        let held = all.entry(destination).or_insert_with(|| {
            let reason = outage.to_string();
            warn!(
                destination,
                messages, reason, "nothing of {destination} can be handled, holding its messages"
            );
            Held {
                since: now,
                batches: 0,
                messages: 0,
                reason,
                error_type: error_type(outage),
                logged: now,
            }
        });
        held.batches += 1;
        held.messages += messages;
        holds.record(destination, held, held.messages);
        Self {
            holds: Arc::clone(holds),
            destination,
            messages,
            since: now,
        }
    }

    /// It has been tried again in vain.
    pub(super) fn still(&self, outage: &Failure) {
        let destination = self.destination;
        let mut all = self.holds.lock();
        let Some(held) = all.get_mut(destination) else {
            return;
        };
        let reason = outage.to_string();
        if reason == held.reason || held.logged.elapsed() < LOG_PAUSE {
            return;
        }
        let messages = held.messages;
        warn!(
            destination,
            messages, reason, "messages of {destination} are held for another reason now"
        );
        self.holds.record(destination, held, 0);
        held.error_type = error_type(outage);
        held.reason = reason;
        held.logged = Instant::now();
        self.holds.record(destination, held, messages);
    }

    pub(super) fn held_for(&self) -> Duration {
        self.since.elapsed()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let destination = self.destination;
        let mut all = self.holds.lock();
        let Some(held) = all.get_mut(destination) else {
            return;
        };
        held.batches -= 1;
        held.messages -= self.messages;
        self.holds.record(destination, held, held.messages);
        if held.batches == 0 {
            let held_for = held.since.elapsed();
            info!(
                destination,
                ?held_for,
                "messages of {destination} are no longer held"
            );
            all.remove(destination);
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_destination_is_reported_for_as_long_as_a_batch_of_it_is_held() {
        let holds = Arc::new(Holds::new(Arc::default()));
        let away = Failure::unavailable(anyhow!("no mail server"));
        assert_eq!(holds.report(), None);
        let first = Hold::new(&holds, "e-mails", 1, &away);
        let second = Hold::new(&holds, "e-mails", 2, &away);
        let report = || holds.report().unwrap_or_default();
        assert_eq!(report(), "e-mails holds 3 messages for 0 s: no mail server");
        drop(first);
        let other = Hold::new(
            &holds,
            "events",
            7,
            &Failure::from(sqlx::Error::PoolTimedOut),
        );
        assert!(
            report()
                .starts_with("e-mails holds 2 messages for 0 s: no mail server; events holds 7")
        );
        drop((second, other));
        assert_eq!(holds.report(), None);
    }
}
