//! What the guide shows, and what of it differs from run to run.

/// The commands in the blocks marked `console`, each with the output shown below it.
pub(crate) fn console(guide: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for line in guide.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            commands.push((command.to_owned(), String::new()));
        } else if let Some((_, shown)) = commands.last_mut().filter(|_| inside) {
            shown.push_str(line);
            shown.push('\n');
        }
    }
    commands
}

/// Figures, and units that stand directly behind them, differ from run to run.
pub(crate) fn masked(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        masked.push_str(&rest[..start]);
        masked.push('N');
        rest = rest[start..].trim_start_matches(|c: char| c.is_ascii_digit());
        let unit = ["ms", "µs", "s"].into_iter().find_map(|unit| {
            let behind = rest.strip_prefix(unit)?;
            (!behind.starts_with(char::is_alphanumeric)).then_some(behind)
        });
        rest = unit.unwrap_or(rest);
    }
    masked + rest
}

pub(crate) fn figures(text: &str) -> Vec<u64> {
    let digits = text.split(|c: char| !c.is_ascii_digit());
    digits.filter_map(|figure| figure.parse().ok()).collect()
}
