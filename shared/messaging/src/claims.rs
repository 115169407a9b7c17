//! Who is about to do what cannot be undone.
//!
//! This room promises that two processes are never both about to bring about the effect of one
//! message, as long as both are alive and reach the database or the broker. A claim is taken over
//! only from a process that is dead: one that the others have seen stand still for 8 s while they
//! themselves could read and write.
//!
//! Where nobody knows whether the effect took place, a doubt stands in place of the claim. It has an id, which the dead
//! letter names, and it is lifted by nothing but the message that comes and names it: somebody has sent that one again
//! who was told. A copy that comes by itself names no doubt, whenever it comes. A copy of what somebody has sent again
//! names a doubt that stands no more, because the next one has another id.

mod pulse;
mod store;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::Instant;

pub(crate) use pulse::{Pulse, beat};
pub(crate) use store::{Doubt, Verdict, claim, doubt, release, settle};

/// The right to bring about the effect of one message. It ends when this process may count as dead.
pub struct Claim {
    /// Nobody's, in a test: it never ends.
    pulse: Option<Arc<Pulse>>,
    since: Instant,
    begun: AtomicBool,
}

/// This process may count as dead, so that another one may do its work.
#[derive(Debug, thiserror::Error)]
#[error("the database does not know that this process is alive, others may do its work")]
pub struct ClaimLost;

impl Claim {
    /// One that was asked for at this moment, and granted.
    pub(crate) fn new(pulse: Arc<Pulse>, since: Instant) -> Self {
        Self {
            pulse: Some(pulse),
            since,
            begun: false.into(),
        }
    }

    /// One that never ends.
    #[cfg(feature = "testing")]
    pub(crate) fn for_ever() -> Self {
        Self {
            pulse: None,
            since: Instant::now(),
            begun: false.into(),
        }
    }

    /// To be called right before the step that cannot be undone. From then on an effect counts as
    /// possible until the handler says otherwise.
    ///
    /// # Errors
    ///
    /// When the process was held up for seconds, or lost the database, since it was granted: then
    /// the step must not be done.
    pub fn begin(&self) -> Result<(), ClaimLost> {
        self.check()?;
        self.begun.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// Whether it is still good.
    pub(crate) fn check(&self) -> Result<(), ClaimLost> {
        match &self.pulse {
            Some(pulse) if !pulse.holds(self.since, Instant::now()) => Err(ClaimLost),
            _ => Ok(()),
        }
    }

    /// Whether the effect may have taken place.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::SeqCst)
    }
}
