//! From the commit of a transaction to the broker's confirm.
//!
//! This room promises that a message is published at least once if its transaction commits, and
//! never if it does not: the row of the outbox is part of the transaction, and leaves the table only
//! after a broker has confirmed it. As long as nothing goes wrong the relay has the row from memory, and
//! the table is for a crash. Messages with the same ordering key are published in the order
//! in which they were written, unless a broker refuses one of them. Several instances of a service share the rows by
//! leases. The room names no broker's client: what it wants of a broker is [`Publish`].

mod address;
mod aside;
mod row;
mod store;

mod memory;

mod handover;
mod ledger;
mod written;

mod lease;
mod shards;

mod publish;
mod refused;
mod relay;
mod wire;

mod backlog;
mod pressure;

mod metrics;
mod spans;

pub use pressure::OutboxLimits;

pub(crate) use address::{
    Address, delay_queue_name, is_delay_queue_of, is_own_exchange, own_exchange,
};
pub(crate) use backlog::{Tables, backlogs, which_tables};
pub(crate) use lease::Leases;
pub(crate) use memory::keep;
pub(crate) use metrics::OutboxMetrics;
pub(crate) use pressure::Pressure;
pub(crate) use publish::{Publish, PublishError};
pub(crate) use relay::Relay;
pub(crate) use row::{NewRow, Row};
pub(crate) use shards::{Divided, divide, parse_shards};
pub(crate) use spans::PublishSpans;
pub(crate) use store::insert;
pub(crate) use written::{Handovers, Written};

#[cfg(test)]
mod tests;
