#![doc = include_str!("../README.md")]
#![deny(clippy::mod_module_files)]

mod args;
pub use args::DatabaseArgs;

mod pool;
pub use pool::{ACQUIRE_TIMEOUT, check, connect};

mod limit;
pub use limit::within_limit;

mod outage;
pub use outage::is_outage;
