//! What a demonstration may break; off unless `SPILLWAY_DEMO` says that nothing here is real.

pub mod crash_point;
mod guarantee;

pub use guarantee::{DemoArgs, Guarantee};

pub(crate) use guarantee::without;
