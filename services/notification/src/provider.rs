//! Those who deliver: one trait, one implementation per way.

use std::future::Future;

use contracts::SendNotification;
use messaging::{Cause, Failure};

mod simulated;
mod smtp;

pub use simulated::Simulated;
pub use smtp::{Smtp, SmtpLimits};

/// Somebody who brings a notification to a customer.
pub trait Provider: Send + Sync + 'static {
    /// Delivers it and returns the reference under which the provider knows the delivery, the same
    /// whenever the same notification is delivered.
    ///
    /// It bears repetition, since it is asked again whenever the transaction around it fails: e-mail does
    /// not, so [`Smtp`] is none of these. It answers within 3 s, because a transaction is open meanwhile and the database gives it 5 s.
    ///
    /// # Errors
    ///
    /// *Reject* when this notification will never be taken, *retry* when it may be later,
    /// *unavailable* when the provider is away.
    fn deliver(
        &self,
        task: &SendNotification,
        cause: &Cause,
    ) -> impl Future<Output = Result<String, Failure>> + Send;
}
