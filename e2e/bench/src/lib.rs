//! Measures the system.
//!
//! - [`load`] puts it under load from inside the Compose network, behind the binary `load`.
//! - [`Bench`] runs the parts of a benchmark from the host, behind the binary `bench` and `./dev bench`: it
//!   stops and starts services, lets [`load`] run, and looks at what the containers use meanwhile.
//! - [`report`] shows the figures beside their targets, and [`publish`] draws the scaling curve.

pub mod load;

mod bench;
mod containers;
mod costs;
mod machine;
mod part;
mod report;
mod scaling;

pub use bench::Bench;
pub use part::Part;
pub use report::report;
pub use scaling::publish;
