//! What was asked of services, told to them once a second for as long as it is asked.

use std::time::Duration;

use contracts::FailKind;
use database::within_limit;
use jiff::Timestamp;
use messaging::ControlsPublisher;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::pace::every;
use crate::store::{self, Control};

const INTERVAL: Duration = Duration::from_secs(1);

/// How often is looked for what other instances were told, while nothing is asked.
const REST: Duration = Duration::from_secs(5);

/// What was asked of services; clones share it.
#[derive(Clone)]
pub struct Controls {
    known: watch::Sender<Vec<Control>>,
    demo: bool,
}

impl Controls {
    /// Nothing was asked yet. Only where nothing is real, anything may be.
    #[must_use]
    pub fn new(demo: bool) -> Self {
        let known = watch::Sender::default();
        Self { known, demo }
    }

    /// Whether anything may be asked of services here.
    #[must_use]
    pub fn is_demo(&self) -> bool {
        self.demo
    }

    /// What was asked, as of a second ago. What another instance was told may take five until it is known here.
    #[must_use]
    pub fn known(&self) -> Vec<Control> {
        let now = Timestamp::now();
        let known = self.known.borrow();
        let lasting = known.iter().filter(|control| control.until > now);
        lasting.cloned().collect()
    }

    /// Looks for what was asked, now: services are told at once what has changed.
    pub async fn look(&self, pool: &PgPool) {
        match within_limit(store::controls(pool)).await {
            Ok(controls) => {
                self.known.send_if_modified(|known| {
                    let is_new = *known != controls;
                    *known = controls;
                    is_new
                });
            }
            // What was asked before goes on for as long as it was asked for.
            Err(error) => {
                let error = error.to_string();
                debug!(error, "what is asked of services now is unknown");
            }
        }
    }

    /// Looks for what was asked, and tells the services, once a second while anything is asked, until stopped. The
    /// broker and the database may come and go; services that hear nothing go back to normal by themselves.
    ///
    /// # Errors
    ///
    /// None; it is a `Result` because that is what the life cycle of a process wants of a task.
    pub async fn run(
        self,
        pool: PgPool,
        publisher: ControlsPublisher,
        token: CancellationToken,
    ) -> anyhow::Result<()> {
        tokio::select! {
            () = self.keep_looking(&pool) => {}
            () = self.keep_telling(publisher) => {}
            () = token.cancelled() => {}
        }
        Ok(())
    }

    async fn keep_looking(&self, pool: &PgPool) {
        loop {
            self.look(pool).await;
            let is_nothing = self.known.borrow().is_empty();
            tokio::time::sleep(if is_nothing { REST } else { INTERVAL }).await;
        }
    }

    async fn keep_telling(&self, mut publisher: ControlsPublisher) {
        let (mut tick, mut known) = (every(INTERVAL), self.known.subscribe());
        let mut has_asked = false;
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                // The sender lives as long as this.
                _ = known.changed() => {}
            }
            let asked = self.known();
            // Once more when nothing is asked any more, so that nobody waits for the silence.
            let tells = !asked.is_empty() || std::mem::replace(&mut has_asked, false);
            if !self.demo || !tells {
                continue;
            }
            has_asked = !asked.is_empty();
            let services = asked.iter().map(told).collect();
            if let Err(error) = publisher.publish(&contracts::Controls { services }).await {
                let error = format!("{error:#}");
                debug!(error, "services could not be told what is asked of them");
            }
        }
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
