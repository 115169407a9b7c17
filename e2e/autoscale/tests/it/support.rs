//! Files to read.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

/// What Kubernetes gets.
pub(crate) const OURS: &str = "deploy/kubernetes/base";

/// As little as one may write.
pub(crate) fn least() -> String {
    "apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: inventory}
spec:
  scaleTargetRef: {name: inventory}
  minReplicaCount: 1
  triggers:
    - type: rabbitmq
      metadata:
        protocol: http
        vhostName: spillway
        queueName: inventory.stock-commands
        mode: QueueLength
        value: \"1000\"
"
    .to_owned()
}

/// A file that is gone in the end.
pub(crate) struct File(PathBuf);

impl File {
    pub(crate) fn new(name: &str, text: &str) -> Result<Self> {
        let name = format!("spillway-{}-{name}.yaml", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, text)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.clone()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
