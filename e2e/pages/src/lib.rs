//! What is written, checked by what is written: needs no running system and no broker client.
//!
//! - [`claims`] checks what the READMEs and `docs/` say.
//! - [`architecture`] checks that services know nothing of each other.
//! - [`directions`] checks which crates of `e2e` know which.
//! - [`kubernetes`] checks that the objects for Kubernetes fit the services.
//! - [`rooms`] checks that the modules of `messaging` import from those below them.
//! - [`lengths`] checks that files are short.
//! - [`targets`] checks that every file of tests is compiled.
//! - [`blocking`] checks that nothing blocks a worker that others wait for.
//! - [`dashboards`] and [`alerts`] read what Prometheus is asked, and what somebody is told of.

pub mod alerts;
pub mod architecture;
pub mod blocking;
pub mod claims;
pub mod dashboards;
pub mod directions;
pub mod kubernetes;
pub mod lengths;
pub mod rooms;
pub mod targets;

mod files;
mod workspace;
