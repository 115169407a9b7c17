use std::io::{BufRead, Write};

use anyhow::{Context, Result};
use serde_json::{Map, Value};

/// A figure to reach: its name, what people call it, and the limit.
struct Target {
    key: &'static str,
    name: &'static str,
    limit: Limit,
}

enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

const TARGETS: [Target; 9] = [
    at_least(
        "accepted_per_s",
        "orders accepted per second, consumers stopped",
        3_000.0,
    ),
    at_least(
        "confirmed_per_s",
        "orders confirmed per second, notification stopped",
        2_500.0,
    ),
    at_least(
        "delivered_per_s",
        "e-mails delivered per second, the whole chain",
        150.0,
    ),
    at_most(
        "p50_ms",
        "placed -> confirmed at 50 orders/s, p50 in ms",
        10.0,
    ),
    at_most(
        "p99_ms",
        "placed -> confirmed at 50 orders/s, p99 in ms",
        30.0,
    ),
    at_most(
        "drain_s",
        "20,000 waiting orders decided, all at work, in s",
        30.0,
    ),
    at_most("idle_mib", "resident memory idle, MiB", 20.0),
    at_most("load_mib", "resident memory under load, MiB", 64.0),
    at_most("binary_mib", "stripped binary, MiB", 25.0),
];

const fn at_least(key: &'static str, name: &'static str, limit: f64) -> Target {
    Target {
        key,
        name,
        limit: Limit::AtLeast(limit),
    }
}

const fn at_most(key: &'static str, name: &'static str, limit: f64) -> Target {
    Target {
        key,
        name,
        limit: Limit::AtMost(limit),
    }
}

/// Merges lines of JSON objects into one, which goes to `json`, and makes a table of it for people.
///
/// # Errors
///
/// When a line is not a JSON object, or on failing input or output.
pub fn report(lines: impl BufRead, mut table: impl Write, mut json: impl Write) -> Result<()> {
    let mut figures = Map::new();
    for line in lines.lines() {
        let line = line?;
        if !line.trim().is_empty() {
            figures.extend(serde_json::from_str::<Map<_, _>>(&line).with_context(|| line.clone())?);
        }
    }
    writeln!(table, "{:<52} {:>9} {:>9}  met", "", "target", "measured")?;
    for target in &TARGETS {
        for (name, measured) in target.values(&figures) {
            let (sign, limit) = target.limit.parts();
            let met = if target.limit.is_met(measured) {
                "yes"
            } else {
                "NO"
            };
            writeln!(table, "{name:<52} {sign} {limit:>6} {measured:>9}  {met}")?;
        }
    }
    for key in ["machine", "commit"] {
        if let Some(value) = figures.get(key).and_then(Value::as_str) {
            writeln!(table, "{key}: {value}")?;
        }
    }
    writeln!(json, "{}", Value::from(figures))?;
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

    use super::*;

    #[test]
    fn a_report_says_which_figures_are_met() {
        let lines =
            "{\"accepted_per_s\":3100.5}\n\n{\"idle_mib\":{\"order\":25.0},\"commit\":\"abc\"}\n";
        let (mut table, mut json) = (Vec::new(), Vec::new());
        report(lines.as_bytes(), &mut table, &mut json).unwrap();

        let table = String::from_utf8(table).unwrap();
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
        let json: Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["idle_mib"]["order"], 25.0);
        assert_eq!(json["commit"], "abc");
    }
}
