//! What a broker has otherwise than a service wants it.
//!
//! This room promises that it is logged once for each change, counted, and named in the health of the
//! process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::ensure;
use opentelemetry::global;
use opentelemetry::metrics::Gauge;
use tracing::{info, warn};

/// What a broker refuses to have as this service wants it, and why. Nothing in this process can mend it:
/// a queue that was declared with other arguments may hold messages, and in a topic that gets more
/// partitions keys move to other ones.
pub(crate) struct Refusals {
    /// The reason by what is refused.
    current: Mutex<BTreeMap<String, String>>,
    count: Gauge<u64>,
}

impl Default for Refusals {
    fn default() -> Self {
        let count = global::meter("messaging")
            .u64_gauge("spillway.topology.refused")
            .with_description(
                "Exchanges, queues, bindings and topics that are not as this service wants them.",
            )
            .build();
        Self {
            current: Mutex::default(),
            count,
        }
    }
}

impl Refusals {
    /// Takes note of how declaring or comparing something went; says so when that is news.
    pub(crate) fn note(&self, piece: &str, refusal: Option<String>) {
        let mut current = self.lock();
        match refusal {
            Some(reason) => {
                if current.get(piece) != Some(&reason) {
                    warn!(
                        piece,
                        reason, "{piece} is not as this service wants it: {reason}"
                    );
                }
                current.insert(piece.to_owned(), reason);
            }
            None if current.remove(piece).is_some() => {
                info!(piece, "{piece} is as this service wants it again");
            }
            None => return,
        }
        self.count.record(current.len() as u64, &[]);
    }

    /// Fails while a broker refuses anything.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let current = self.lock();
        let reasons: Vec<&str> = current.values().map(String::as_str).collect();
        ensure!(reasons.is_empty(), "{}", reasons.join("; "));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
