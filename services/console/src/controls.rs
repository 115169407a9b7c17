//! What was asked of services, told to them once a second.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use database::within_limit;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::store::{self, Control};

const INTERVAL: Duration = Duration::from_secs(1);

/// What was asked of services; clones share it.
#[derive(Clone)]
pub struct Controls {
    known: Arc<Mutex<Vec<Control>>>,
    demo: bool,
}

impl Controls {
    /// Nothing was asked yet. Only where nothing is real, anything may be.
    #[must_use]
    pub fn new(demo: bool) -> Self {
        let known = Arc::default();
        Self { known, demo }
    }

    /// Whether anything may be asked of services here.
    #[must_use]
    pub fn is_demo(&self) -> bool {
        self.demo
    }

    /// What was asked, as of a second ago.
    #[must_use]
    pub fn known(&self) -> Vec<Control> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks for what was asked, once a second, and tells the services, until stopped. The broker and the database
    /// may come and go; services that hear nothing go back to normal by themselves.
    ///
    /// # Errors
    ///
    /// None; it is a `Result` because that is what the life cycle of a process wants of a task.
    pub async fn run(self, pool: PgPool, token: CancellationToken) -> anyhow::Result<()> {
        let mut tick = tokio::time::interval(INTERVAL);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while token.run_until_cancelled(tick.tick()).await.is_some() {
            match within_limit(store::controls(&pool)).await {
                Ok(controls) => {
                    *self.known.lock().unwrap_or_else(PoisonError::into_inner) = controls;
                }
                Err(error) => {
                    let error = error.to_string();
                    debug!(error, "what was asked of services is unknown");
                }
            }
        }
        Ok(())
    }
}
