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
    /// Where it stands, if it comes from a topic.
    pub position: Option<Position>,
    /// The message.
    pub body: M,
}

/// The place of a record in its topic: nothing else is ever there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Number of the partition.
    pub partition: i32,
    /// Number of the record in its partition.
    pub offset: i64,
}
