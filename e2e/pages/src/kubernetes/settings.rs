use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::read;

/// What every process reads beside its own `Config`.
const OF_EVERYBODY: [&str; 2] = ["TelemetryArgs", "ShutdownArgs"];

/// A variable that a service reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The name of the variable.
    pub name: String,
    /// What holds without it, where that is written as a text.
    pub default: Option<String>,
    /// Whether the service refuses to start without it.
    pub is_required: bool,
}

/// The variables of a service, as the structures say that clap fills for it.
///
/// # Errors
///
/// When a structure is not found, or a field of it is not understood.
pub fn settings(workspace: &Path, service: &str) -> Result<Vec<Setting>> {
    let own = match service {
        "load" => workspace.join("e2e/bench/src/load/sale"),
        _ => workspace.join("services").join(service).join("src"),
    };
    let mut texts = Vec::new();
    collect(&own, &mut texts)?;
    for shared in ["runtime", "database", "messaging"] {
        collect(
            &workspace.join("shared").join(shared).join("src"),
            &mut texts,
        )?;
    }
    let mut found = Vec::new();
    for structure in ["Config"].iter().chain(&OF_EVERYBODY) {
        read_structure(structure, &texts, &mut found)
            .with_context(|| format!("the settings of {service}"))?;
    }
    Ok(found)
}

fn read_structure(name: &str, texts: &[String], found: &mut Vec<Setting>) -> Result<()> {
    let opening = format!("struct {name} {{\n");
    let behind = texts.iter().find_map(|text| text.split_once(&opening));
    let (_, behind) = behind.with_context(|| format!("there is no structure {name}"))?;
    let (body, _) = behind.split_once("\n}").context("it has no end")?;
    let mut attributes = String::new();
    for line in body.lines().map(str::trim) {
        if line.starts_with("//") {
            continue;
        }
        let Some(field) = line.strip_prefix("pub") else {
            attributes.push_str(line);
            attributes.push(' ');
            continue;
        };
        let (_, kind) = field.split_once(": ").context("a field has no type")?;
        let kind = kind.trim_end_matches(',');
        let variables = attributes.matches("env = \"").count();
        if attributes.contains("flatten") {
            let inner = kind.rsplit("::").next().unwrap_or(kind);
            read_structure(inner, texts, found)?;
        } else {
            ensure!(variables == 1, "{name}: {variables} variables for {field}");
            found.push(setting(&attributes, kind)?);
        }
        attributes.clear();
    }
    Ok(())
}

fn setting(attributes: &str, kind: &str) -> Result<Setting> {
    let quoted = |before: &str| {
        let (_, behind) = attributes.split_once(before)?;
        behind.split_once('"').map(|(text, _)| text.to_owned())
    };
    let is_optional = ["Option<", "Vec<"].iter().any(|one| kind.starts_with(one));
    Ok(Setting {
        name: quoted("env = \"").context("a variable has no name")?,
        default: quoted("default_value = \""),
        is_required: !is_optional && !attributes.contains("default_value"),
    })
}

fn collect(folder: &Path, texts: &mut Vec<String>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let paths: std::io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
    for path in paths? {
        if path.is_dir() {
            collect(&path, texts)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            texts.push(read(&path)?);
        }
    }
    Ok(())
}
