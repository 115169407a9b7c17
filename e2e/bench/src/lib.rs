//! Measures the system.

pub mod load;

mod report;

pub use report::report;
