use jiff::Timestamp;
use uuid::Uuid;

use crate::cause::Cause;

/// A message as a handler sees it: decoded and valid.
#[derive(Debug, Clone)]
pub struct Received<M> {
    /// The CloudEvents id, the same on every delivery of this message.
    pub id: Uuid,
    /// When it was written, by the clock of its producer.
    pub time: Timestamp,
    /// What to name as the cause of messages that follow from this one.
    pub cause: Cause,
    /// The message.
    pub body: M,
}
