#![doc = include_str!("../README.md")]
#![deny(clippy::mod_module_files)]

mod run;
pub use run::{run, run_or};

mod lifecycle;
pub use lifecycle::Lifecycle;

pub mod config;
pub mod health;
pub mod http;
pub mod telemetry;

#[cfg(feature = "testing")]
pub mod testing;

mod probe;
mod secret_files;
mod trust;

/// Returns memory to the system sooner than the default allocator, and is faster. Where it may use
/// huge pages an idle service takes twice the memory: containers set `MIMALLOC_ALLOW_THP=0`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
