//! What a demonstration may break: one guarantee, or the process at a named place.
//!
//! This room promises that nothing is broken unless `SPILLWAY_DEMO` says that nothing here is real,
//! and that a switch that is off costs one load where it is checked. Each switch is checked at the
//! line that provides its guarantee.

pub mod crash_point;
mod guarantee;

pub use guarantee::{DemoArgs, Guarantee};

pub(crate) use guarantee::without;
