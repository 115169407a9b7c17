//! What was asked of services, told to them once a second.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contracts::FailKind;
use database::within_limit;
use jiff::Timestamp;
use messaging::ControlsPublisher;
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
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Looks for what was asked, once a second, and tells the services, until stopped. The broker and the database
    /// may come and go; services that hear nothing go back to normal by themselves.
    ///
    /// # Errors
    ///
    /// None; it is a `Result` because that is what the life cycle of a process wants of a task.
    pub async fn run(
        self,
        pool: PgPool,
        mut publisher: ControlsPublisher,
        token: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut tick = tokio::time::interval(INTERVAL);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while token.run_until_cancelled(tick.tick()).await.is_some() {
            match within_limit(store::controls(&pool)).await {
                Ok(controls) => {
                    let said = contracts::Controls {
                        services: controls.iter().map(told).collect(),
                    };
                    *self.known.lock().unwrap_or_else(PoisonError::into_inner) = controls;
                    if self.demo {
                        let told = token.run_until_cancelled(publisher.publish(&said)).await;
                        report(told.unwrap_or(Ok(())));
                    }
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

/// What a service is told: how much longer, since its clock may be another one.
fn told(control: &Control) -> contracts::Control {
    let remaining = control.until.duration_since(Timestamp::now()).as_millis();
    contracts::Control {
        service: control.service.clone(),
        pause: control.pause,
        slow_ms: u16::try_from(control.slow_ms).unwrap_or(u16::MAX),
        fail_percent: u8::try_from(control.fail_percent).unwrap_or(u8::MAX),
        fail_kind: match control.permanent {
            true => FailKind::Permanent,
            false => FailKind::Transient,
        },
        refuse_email: control.refuse_email,
        by: control.set_by.clone(),
        since: control.set_at,
        remaining_ms: u32::try_from(remaining).unwrap_or_default(),
    }
}

fn report(told: anyhow::Result<()>) {
    if let Err(error) = told {
        let error = format!("{error:#}");
        debug!(error, "services could not be told what was asked of them");
    }
}
