//! From the commit of a transaction to the broker's confirm.

mod lease;
mod memory;
mod pressure;
mod relay;
mod store;

pub use pressure::OutboxLimits;

pub(crate) use memory::keep;
pub(crate) use pressure::Pressure;
pub(crate) use relay::{Publish, PublishError, Relay, pauses};
pub(crate) use store::{Backlog, NewRow, Row, Transport, Wake, backlog, in_time, insert};
