//! Whether `deploy/kubernetes` fits the services, and what others say of their kinds, as far as that can be seen
//! without a cluster.
//!
//! An [`Overlay`] is read as kustomize renders it, a [`Source`] is what the services and their neighbours say of
//! themselves. The objects that Kubernetes itself defines are held against its schemas by
//! `deploy/kubernetes/validate.py`.
//!
//! Each finding is a sentence for people that names the file and the field.

mod object;
mod overlay;
mod pods;
mod ports;
mod routes;
mod scaling;
mod schemas;
mod settings;
mod source;
mod variables;

use std::path::Path;

use anyhow::{Context, Result};

pub use object::Object;
pub use overlay::{Overlay, files_that_nobody_names};
pub use settings::{Setting, settings};
pub use source::Source;

/// The folders of `deploy/kubernetes/overlays`.
pub const OVERLAYS: [&str; 2] = ["brokers-by-url", "laptop"];

/// Every breach in an overlay.
#[must_use]
pub fn breaches(source: &Source, overlay: &Overlay) -> Vec<String> {
    [
        pods::breaches(source, overlay),
        variables::breaches(source, overlay),
        ports::breaches(source, overlay),
        routes::breaches(source, overlay),
        schemas::breaches(source, overlay),
        scaling::breaches(source, overlay),
    ]
    .concat()
}

/// The text of a file, whose path is named where it cannot be read.
fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}
