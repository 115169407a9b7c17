//! What the dashboards ask of Prometheus.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// Where they are in the workspace.
const FOLDER: &str = "deploy/observe/grafana/dashboards";

/// A dashboard.
#[derive(Debug, Clone, Deserialize)]
pub struct Dashboard {
    /// By which it is found and linked to.
    pub uid: String,
    /// Its name.
    pub title: String,
    /// Its pictures.
    pub panels: Vec<Panel>,
}

/// A picture of a dashboard.
#[derive(Debug, Clone, Deserialize)]
pub struct Panel {
    /// Its name.
    pub title: String,
    /// What it shows, for people.
    pub description: String,
    /// What is asked for it.
    pub targets: Vec<Target>,
}

/// A query, and who is asked.
#[derive(Debug, Clone, Deserialize)]
pub struct Target {
    /// Who is asked.
    pub datasource: Source,
    /// The query, in PromQL.
    pub expr: String,
}

/// Who can be asked.
#[derive(Debug, Clone, Deserialize)]
pub struct Source {
    /// By which it is known to Grafana.
    pub uid: String,
}

impl Dashboard {
    /// Every query, behind the name of its panel.
    pub fn queries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.panels.iter().flat_map(|panel| {
            let targets = panel.targets.iter();
            targets.map(move |target| (panel.title.as_str(), target.expr.as_str()))
        })
    }
}

/// All dashboards of the workspace at this path.
///
/// # Errors
///
/// When one cannot be read, or leaves open who is asked, as one does that was exported for others.
pub fn read_dashboards(workspace: &Path) -> Result<Vec<Dashboard>> {
    let mut dashboards = Vec::new();
    for entry in fs::read_dir(workspace.join(FOLDER)).context(FOLDER)? {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        for open in ["__inputs", "${"] {
            ensure!(!text.contains(open), "{} has {open}", path.display());
        }
        let dashboard = serde_json::from_str(&text);
        dashboards.push(dashboard.with_context(|| path.display().to_string())?);
    }
    Ok(dashboards)
}
