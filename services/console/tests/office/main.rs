//! The dead-letter office on a real database, without brokers.

mod find;
mod keep;
mod mend;
mod readonly;
mod replays;
#[path = "../support/mod.rs"]
mod support;
