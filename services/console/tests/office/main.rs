//! The dead-letter office on a real database, without brokers.

mod discard;
mod find;
mod hostile;
mod jobs;
mod keep;
mod mend;
mod outcomes;
mod readonly;
mod release;
#[path = "../support/mod.rs"]
mod support;
