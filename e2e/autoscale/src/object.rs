//! What a ScaledObject says, as far as it is obeyed here.

mod behavior;
mod document;
mod trigger;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use self::document::{Document, Spec};

pub use self::behavior::{Behavior, Direction, Policy, Select, Step};
pub use self::trigger::{Subject, Trigger};

/// How a file of one is called.
const FILE: &str = "scaledobject.yaml";
/// What KEDA takes where the file says nothing.
const POLLING: u64 = 30;
const MOST: u32 = 100;

/// Which service scales, by what, and between which bounds.
#[derive(Debug, Clone)]
pub struct ScaledObject {
    /// Where it stands.
    pub file: PathBuf,
    /// The service of Compose, which has the name of the Deployment.
    pub service: String,
    /// How long from one look to the next.
    pub polling: Duration,
    /// How many instances there may be.
    pub limits: Limits,
    /// How fast they may become more or fewer.
    pub behavior: Behavior,
    /// What is counted.
    pub triggers: Vec<Trigger>,
}

/// How many instances of a service there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "says it all")]
pub struct Limits {
    pub least: u32,
    pub most: u32,
}

impl ScaledObject {
    /// Every ScaledObject in the folders of a folder, such as `deploy/kubernetes/base`.
    ///
    /// # Errors
    ///
    /// When there is none, or one of them cannot be obeyed.
    pub fn read_all(folder: &Path) -> Result<Vec<Self>> {
        let shown = || folder.display().to_string();
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).with_context(shown)? {
            let file = entry?.path().join(FILE);
            files.extend(file.exists().then_some(file));
        }
        files.sort();
        ensure!(!files.is_empty(), "{}: no folder has a {FILE}", shown());
        Self::read_files(&files)
    }

    /// The ScaledObjects of these files.
    ///
    /// # Errors
    ///
    /// When one cannot be obeyed, or two of them scale the same service.
    pub fn read_files(files: &[PathBuf]) -> Result<Vec<Self>> {
        let (mut objects, mut owners) = (Vec::new(), BTreeMap::new());
        for file in files {
            for object in Self::read(file)? {
                let Self { file, service, .. } = &object;
                if let Some(other) = owners.insert(service.clone(), file.clone()) {
                    let other = other.display();
                    let what = format!("{service} is scaled by {other} already");
                    bail!(wrong(file, "spec.scaleTargetRef.name", &what));
                }
                objects.push(object);
            }
        }
        Ok(objects)
    }

    fn read(file: &Path) -> Result<Vec<Self>> {
        let shown = || file.display().to_string();
        let text = fs::read_to_string(file).with_context(shown)?;
        let documents = serde_norway::Deserializer::from_str(&text).map(Document::deserialize);
        let mut objects = Vec::new();
        for document in documents {
            objects.push(Self::of(file, document.with_context(shown)?)?);
        }
        ensure!(!objects.is_empty(), "{}: there is nothing in it", shown());
        Ok(objects)
    }

    fn of(file: &Path, document: Document) -> Result<Self> {
        let Document {
            api_version,
            kind,
            spec,
            ..
        } = document;
        let wrong = |field: &str, what: &str| Err(anyhow::anyhow!(wrong(file, field, what)));
        if kind != "ScaledObject" {
            return wrong("kind", &format!("{kind:?} is no ScaledObject"));
        }
        if api_version != "keda.sh/v1alpha1" {
            return wrong("apiVersion", &format!("{api_version:?} is unknown"));
        }
        let Spec {
            scale_target_ref,
            polling_interval,
            min_replica_count,
            max_replica_count,
            advanced,
            triggers,
            ..
        } = spec;
        let (least, most) = (
            min_replica_count.unwrap_or(0),
            max_replica_count.unwrap_or(MOST),
        );
        if least == 0 {
            let what = "a service at zero publishes nothing and answers nobody";
            return wrong("spec.minReplicaCount", what);
        }
        if least > most {
            let what = format!("{least} is more than maxReplicaCount, which is {most}");
            return wrong("spec.minReplicaCount", &what);
        }
        let polling = polling_interval.unwrap_or(POLLING);
        if polling == 0 {
            return wrong("spec.pollingInterval", "has to be a second or more");
        }
        if triggers.is_empty() {
            return wrong("spec.triggers", "there is none");
        }
        let triggers = triggers.into_iter().enumerate();
        let triggers = triggers.map(|(number, raw)| Trigger::of(file, number, raw));
        Ok(Self {
            file: file.to_owned(),
            service: scale_target_ref.name,
            polling: Duration::from_secs(polling),
            limits: Limits { least, most },
            behavior: Behavior::of(advanced),
            triggers: triggers.collect::<Result<_>>()?,
        })
    }
}

/// The sentence about a field in which something is wrong.
pub(crate) fn wrong(file: &Path, field: &str, what: &str) -> String {
    format!("{}: {field}: {what}", file.display())
}
