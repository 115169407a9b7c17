//! What is noted of messages, in whatever order and however often they come.

mod cost;
mod orders;
mod stock;
#[path = "../support/mod.rs"]
mod support;
