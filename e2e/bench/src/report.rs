mod target;

use std::collections::BTreeSet;
use std::io::Write;

use anyhow::Result;
use serde::Deserialize;
use serde_json::{Map, Value};

use self::target::{Limit, TARGETS, Target};
use super::scaling::{self, Curves};

/// Makes a table of the figures for people, beside their targets.
///
/// # Errors
///
/// When nothing can be written.
pub fn report(figures: &Map<String, Value>, mut table: impl Write) -> Result<()> {
    writeln!(table, "{:<52} {:>9} {:>9}  met", "", "target", "measured")?;
    for target in &TARGETS {
        for (name, measured) in target.values(figures) {
            let (sign, limit) = target.limit.parts();
            let met = if target.limit.is_met(measured) {
                "yes"
            } else {
                "NO"
            };
            writeln!(table, "{name:<52} {sign} {limit:>6} {measured:>9}  {met}")?;
        }
    }
    costs(
        figures,
        "cpu_ms_per_order",
        "CPU for an order, ms",
        &mut table,
    )?;
    costs(figures, "cpu_cores", "CPU, cores", &mut table)?;
    if let Some(curves) = figures.get("scaling") {
        scaling::table(&Curves::deserialize(curves)?, &mut table)?;
    }
    for key in ["machine", "commit"] {
        if let Some(value) = figures.get(key).and_then(Value::as_str) {
            writeln!(table, "{key}: {value}")?;
        }
    }
    Ok(())
}

/// One line for each part, one column for each container, those that use most on the left.
fn costs(
    figures: &Map<String, Value>,
    key: &str,
    name: &str,
    table: &mut impl Write,
) -> Result<()> {
    let Some(parts) = figures.get(key).and_then(Value::as_object) else {
        return Ok(());
    };
    let used = |part: &Value, container: &str| part[container].as_f64().unwrap_or_default();
    let containers = parts.values().filter_map(Value::as_object);
    let containers: BTreeSet<_> = containers.flat_map(Map::keys).collect();
    let mut containers: Vec<_> = containers.into_iter().collect();
    let most = |container: &str| {
        parts
            .values()
            .map(|part| used(part, container))
            .sum::<f64>()
    };
    containers.sort_by(|one, other| most(other).total_cmp(&most(one)));
    write!(table, "\n{name:<20}")?;
    for container in &containers {
        write!(table, " {container:>12}")?;
    }
    writeln!(table)?;
    for (part, costs) in parts {
        write!(table, "{part:<20}")?;
        for container in &containers {
            write!(table, " {:>12.3}", used(costs, container))?;
        }
        writeln!(table)?;
    }
    Ok(())
}

impl Target {
    /// The measured values; there is one for each service where the figure is an object.
    fn values(&self, figures: &Map<String, Value>) -> Vec<(String, f64)> {
        match figures.get(self.key) {
            Some(Value::Object(services)) => {
                let values = services.iter().filter_map(|(service, value)| {
                    Some((format!("{}: {service}", self.name), value.as_f64()?))
                });
                values.collect()
            }
            Some(value) => value
                .as_f64()
                .map(|value| (self.name.to_owned(), value))
                .into_iter()
                .collect(),
            None => Vec::new(),
        }
    }
}

impl Limit {
    fn parts(&self) -> (&'static str, f64) {
        match self {
            Self::AtLeast(limit) => (">=", *limit),
            Self::AtMost(limit) => ("<=", *limit),
        }
    }

    fn is_met(&self, measured: f64) -> bool {
        match self {
            Self::AtLeast(limit) => measured >= *limit,
            Self::AtMost(limit) => measured <= *limit,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]

    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_says_which_figures_are_met() {
        let figures = json!({"accepted_per_s": 3100.5, "idle_mib": {"order": 25.0}});
        let table = reported(&figures);
        let met: Vec<_> = table
            .lines()
            .filter(|line| line.ends_with("  yes"))
            .collect();
        assert!(met.len() == 1 && met[0].contains("3100.5"), "{table}");
        let missed: Vec<_> = table
            .lines()
            .filter(|line| line.ends_with("  NO"))
            .collect();
        assert!(missed.len() == 1 && missed[0].contains("order"), "{table}");
    }

    #[test]
    fn a_report_says_what_each_part_costs_by_container() {
        let figures = json!({"cpu_ms_per_order": {
            "confirmed": {"order": 0.341, "postgres": 0.45, "total": 0.791},
            "latency": {"order": 2.0, "postgres": 5.0, "notification": 1.0, "total": 8.0},
        }});
        let table = reported(&figures);
        let words = |line: &str| {
            line.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let lines: Vec<_> = table.lines().map(words).collect();
        let costs = lines
            .iter()
            .position(|line| line.starts_with(&["CPU".to_owned()]));
        let costs = &lines[costs.unwrap()..];
        assert!(
            costs[0].ends_with(&["total", "postgres", "order", "notification"].map(str::to_owned))
        );
        assert_eq!(costs[1], ["confirmed", "0.791", "0.450", "0.341", "0.000"]);
        assert_eq!(costs[2], ["latency", "8.000", "5.000", "2.000", "1.000"]);
    }

    fn reported(figures: &Value) -> String {
        let mut table = Vec::new();
        report(figures.as_object().unwrap(), &mut table).unwrap();
        String::from_utf8(table).unwrap()
    }
}
