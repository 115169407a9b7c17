use contracts::SendNotification;
use messaging::{Cause, Failure};
use tracing::debug;

use super::Provider;
use crate::domain::headline;

/// Stands in for a provider of text or push messages: it writes to the log what it would send.
pub struct Simulated;

impl Provider for Simulated {
    async fn deliver(&self, task: &SendNotification, cause: &Cause) -> Result<String, Failure> {
        let reference = format!("{}-{}", task.channel.as_str(), task.notification_id);
        debug!(
            order_id = %task.order.id,
            trace_id = cause.trace_id(),
            reference,
            "{}: {}",
            task.channel.as_str(),
            headline(task)
        );
        Ok(reference)
    }
}
