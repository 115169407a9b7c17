//! Kinds that others define, held against their schemas.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use jsonschema::Validator;
use serde_json::Value;

use super::{Overlay, Source, read};

/// Whose kinds are looked at here.
const GROUPS: [&str; 2] = ["keda.sh", "gateway.networking.k8s.io"];

pub(super) fn breaches(source: &Source, overlay: &Overlay) -> Vec<String> {
    let mut found = Vec::new();
    for object in &overlay.objects {
        let (group, version) = match object.text("/apiVersion").split_once('/') {
            Some((group, version)) if GROUPS.contains(&group) => (group, version),
            _ => continue,
        };
        let name = format!("{}-{version}", object.kind().to_lowercase());
        let Some(schema) = source.schemas.get(&name) else {
            found.push(object.wrong("/kind", format!("{group}/{version} has none that is known")));
            continue;
        };
        for error in schema.iter_errors(&object.value) {
            found.push(object.wrong(&error.instance_path().to_string(), &error));
        }
    }
    found
}

/// The schemas of a folder, by kind and version.
pub(super) fn read_all(folder: &Path) -> Result<BTreeMap<String, Validator>> {
    let mut schemas = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let is_schema = path
            .extension()
            .is_some_and(|extension| extension == "json");
        if is_schema && name != "keda-scalers" {
            let schema: Value = serde_json::from_str(&read(&path)?)?;
            schemas.insert(name.into_owned(), jsonschema::validator_for(&schema)?);
        }
    }
    Ok(schemas)
}
