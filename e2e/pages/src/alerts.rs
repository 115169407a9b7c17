//! What somebody is told of, as far as it is written in the rules of Prometheus.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// Where the rules are in the workspace.
const RULES: &str = "deploy/observe/rules.yml";

#[derive(Debug, Deserialize)]
struct Rules {
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
struct Group {
    rules: Vec<Alert>,
}

/// An alert.
#[derive(Debug, Clone, Deserialize)]
pub struct Alert {
    /// Its name.
    #[serde(rename = "alert")]
    pub name: String,
    /// When it fires, in PromQL.
    pub expr: String,
    /// What is added to the labels of what it found.
    pub labels: Labels,
    /// What is said to people.
    pub annotations: Annotations,
}

/// What every alert adds to its labels.
#[derive(Debug, Clone, Deserialize)]
pub struct Labels {
    /// How bad it is.
    pub severity: String,
}

/// What every alert says to people.
#[derive(Debug, Clone, Deserialize)]
pub struct Annotations {
    /// What has happened, with places for labels and the value.
    pub summary: String,
    /// Where it is said what to do: a page and a heading of it.
    pub runbook: String,
}

/// All alerts of the workspace at this path.
///
/// # Errors
///
/// When the rules cannot be read, or one says too little.
pub fn read_alerts(workspace: &Path) -> Result<Vec<Alert>> {
    let text = fs::read_to_string(workspace.join(RULES)).context(RULES)?;
    let rules: Rules = serde_norway::from_str(&text).context(RULES)?;
    let groups = rules.groups.into_iter();
    Ok(groups.flat_map(|group| group.rules).collect())
}
