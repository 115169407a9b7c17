//! What somebody is told of, as far as it is written in the rules of Prometheus.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// Where the rules are in the workspace.
const RULES: &str = "deploy/observe/rules.yml";

/// In the rules the fields of an alert are so far from the margin, and what is in a field is farther.
const FIELD: &str = "        ";

/// An alert.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alert {
    /// Its name.
    pub name: String,
    /// When it fires, in PromQL.
    pub expr: String,
    /// How bad it is.
    pub severity: String,
    /// What is said, with places for labels and the value.
    pub summary: String,
    /// Where it is said what to do: a page and a heading of it.
    pub runbook: String,
}

/// All alerts of the workspace at this path.
///
/// # Errors
///
/// When the rules cannot be read, or are not written in the one way that is understood here.
pub fn read_alerts(workspace: &Path) -> Result<Vec<Alert>> {
    let text = fs::read_to_string(workspace.join(RULES)).context(RULES)?;
    let mut alerts: Vec<Alert> = Vec::new();
    let mut field = "";
    for line in text.lines() {
        if let Some(name) = line.trim_start().strip_prefix("- alert: ") {
            let name = name.to_owned();
            alerts.push(Alert {
                name,
                ..Alert::default()
            });
            continue;
        }
        let (Some(alert), Some(inside)) = (alerts.last_mut(), line.strip_prefix(FIELD)) else {
            continue;
        };
        let value = match inside.strip_prefix(' ') {
            Some(more) => more,
            None => {
                let named = inside.split_once(':');
                let (name, value) = named.with_context(|| format!("{RULES}: {line}"))?;
                field = name;
                value
            }
        };
        alert.take(field, value.trim());
    }
    for alert in &alerts {
        let Alert {
            expr,
            severity,
            summary,
            runbook,
            ..
        } = alert;
        let fields = [expr, severity, summary, runbook];
        ensure!(
            fields.iter().all(|field| !field.is_empty()),
            "{RULES}: {alert:?}"
        );
    }
    Ok(alerts)
}

impl Alert {
    /// Takes in a line of a field.
    fn take(&mut self, field: &str, value: &str) {
        let after = |name: &str| value.split_once(name).map(|(_, value)| value.to_owned());
        match field {
            "expr" if value != "|" => {
                self.expr.push_str(value);
                self.expr.push(' ');
            }
            "labels" => {
                let severity = after("severity: ").unwrap_or_default();
                self.severity = severity.trim_end_matches('}').to_owned();
            }
            "annotations" if value.starts_with("summary: ") => {
                let summary = after("summary: ").unwrap_or_default();
                self.summary = summary.trim_matches('"').to_owned();
            }
            "annotations" if value.starts_with("runbook: ") => {
                self.runbook = after("runbook: ").unwrap_or_default();
            }
            _ => {}
        }
    }
}
