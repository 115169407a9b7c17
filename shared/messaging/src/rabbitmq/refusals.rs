use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::ensure;
use opentelemetry::global;
use opentelemetry::metrics::Gauge;
use tracing::{info, warn};

/// What the broker refuses to declare, and why. Nothing in this process can mend it: a queue that
/// was declared with other arguments may hold messages.
pub(crate) struct Refusals {
    /// The reason by what is refused.
    current: Mutex<BTreeMap<String, String>>,
    count: Gauge<u64>,
}

impl Default for Refusals {
    fn default() -> Self {
        let count = global::meter("messaging")
            .u64_gauge("spillway.topology.refused")
            .with_description("Exchanges, queues and bindings that RabbitMQ refuses to declare.")
            .build();
        Self {
            current: Mutex::default(),
            count,
        }
    }
}

impl Refusals {
    /// Takes note of how declaring something went; says so when that is news.
    pub(super) fn note(&self, piece: &str, refusal: Option<String>) {
        let mut current = self.lock();
        match refusal {
            Some(reason) => {
                if current.get(piece) != Some(&reason) {
                    warn!(piece, reason, "RabbitMQ refuses {piece}");
                }
                current.insert(piece.to_owned(), reason);
            }
            None if current.remove(piece).is_some() => {
                info!(piece, "RabbitMQ accepts {piece} again");
            }
            None => return,
        }
        self.count.record(current.len() as u64, &[]);
    }

    /// Fails while the broker refuses anything.
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
