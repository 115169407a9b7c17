//! The load generator behind the binary `load`.
//!
//! It shares two cores with everything that it measures, so it is light: bodies are serialised once,
//! connections are kept, answers are searched for the order's id and nothing else, and Kafka records
//! are told apart by header and key without looking at the body.
//!
//! Latency is measured *open-loop*: orders are placed when the clock says so, whether or not earlier
//! ones were answered, and their time runs from the moment for which they were scheduled, so that
//! waiting in a queue counts. Throughput is measured with a *bounded backlog*: a new order is placed
//! for each one that got as far as the scenario looks, so that the rate that is reported is one that
//! the system can sustain.

pub mod sale;

mod api;
mod client;
mod drained;
mod orders;
mod pace;
mod progress;
mod readers;
mod scenario;
mod tracker;
mod watch;

pub use api::console_api;
pub use drained::drained;
pub use scenario::{Options, Scenario};
