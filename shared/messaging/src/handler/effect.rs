use std::fmt;
use std::future::Future;

use contracts::Inbound;

use super::failure::Failure;
use super::received::Received;
use super::tx::Tx;
use crate::claims::{Claim, ClaimLost};

/// Handles messages whose effect no transaction can take back: an e-mail, a payment, a call to somebody
/// else.
///
/// The effect takes place once, and at most once more for each time that the process died after
/// [`begin`](Claim::begin) and before the effect was recorded. What the database does meanwhile, and for how
/// long, makes no difference: no transaction is open during the effect, and once it took place,
/// recording it is tried until it commits. Whoever else is delivered the message meanwhile waits.
///
/// A process counts as dead when it stood still for more than 8 s, or reached neither the database
/// nor the broker for so long.
pub trait EffectHandler: Send + Sync + 'static {
    /// What the queue carries.
    type Message: Inbound;
    /// What is known once the effect took place.
    type Done: Send + Sync;

    /// Looks whether the effect may take place at all. Runs in a short transaction, once or more.
    fn prepare(
        &self,
        tx: &mut Tx,
        message: &Received<Self::Message>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Brings the effect about. It limits its own time, and calls [`begin`](Claim::begin) right before
    /// the step that cannot be undone: without that call an effect counts as impossible.
    fn perform(
        &self,
        message: &Received<Self::Message>,
        claim: &Claim,
    ) -> impl Future<Output = Result<Self::Done, NotPerformed>> + Send;

    /// Records that the effect took place, in the transaction of the inbox entry. Called until that
    /// commits, so a failure here only means to wait.
    fn record(
        &self,
        tx: &mut Tx,
        message: &Received<Self::Message>,
        done: &Self::Done,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Why [`perform`](EffectHandler::perform) cannot say that the effect took place.
#[derive(Debug)]
pub enum NotPerformed {
    /// It certainly did not. The message is handled like any other that failed.
    Failed(Failure),
    /// Nobody can tell. The message becomes a dead letter with this reason, for a person to find out:
    /// neither is it tried again by itself, nor is it forgotten. Only that letter, sent again, has the effect once
    /// more.
    Unknown(String),
}

impl From<Failure> for NotPerformed {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<ClaimLost> for NotPerformed {
    fn from(lost: ClaimLost) -> Self {
        Self::Failed(Failure::unavailable(lost))
    }
}

impl fmt::Display for NotPerformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => failure.fmt(f),
            Self::Unknown(reason) => f.write_str(reason),
        }
    }
}
