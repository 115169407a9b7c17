use std::fmt::Display;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use super::read;

/// An object of Kubernetes, as it stands in a file.
#[derive(Debug, Clone)]
pub struct Object {
    /// Where it is, from the root of the workspace.
    pub file: String,
    /// What it says.
    pub value: Value,
}

static NOTHING: Value = Value::Null;

impl Object {
    /// Every object of a file.
    pub(super) fn read_all(workspace: &Path, path: &Path) -> Result<Vec<Self>> {
        let file = path.strip_prefix(workspace).unwrap_or(path);
        let file = file.display().to_string();
        let mut objects = Vec::new();
        for document in serde_norway::Deserializer::from_str(&read(path)?) {
            let value = Value::deserialize(document).with_context(|| file.clone())?;
            if !value.is_null() {
                let file = file.clone();
                objects.push(Self { file, value });
            }
        }
        Ok(objects)
    }

    /// What sort of thing it is.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.text("/kind")
    }

    /// Its name among those of its kind.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// Whether its processes are of this repository.
    pub(super) fn is_ours(&self) -> bool {
        let labels = "/spec/template/metadata/labels";
        self.text(&format!("{labels}/app.kubernetes.io~1part-of")) == "spillway"
    }

    /// What stands at a place, given as a JSON pointer.
    pub(super) fn at(&self, field: &str) -> &Value {
        self.value.pointer(field).unwrap_or(&NOTHING)
    }

    pub(super) fn text(&self, field: &str) -> &str {
        self.at(field).as_str().unwrap_or_default()
    }

    pub(super) fn list(&self, field: &str) -> &[Value] {
        self.at(field).as_array().map_or(&[], Vec::as_slice)
    }

    /// The places of a list's entries.
    pub(super) fn entries(&self, field: &str) -> Vec<String> {
        let numbers = 0..self.list(field).len();
        numbers.map(|number| format!("{field}/{number}")).collect()
    }

    /// The sentence about a field in which something is wrong.
    pub(super) fn wrong(&self, field: &str, what: impl Display) -> String {
        let (kind, name) = (self.kind(), self.name());
        format!("{}: {kind} {name}: {field}: {what}", self.file)
    }
}
