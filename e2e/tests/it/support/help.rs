//! What a service says about its own settings.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use harness::Compose;

/// The values that an option of `order` may have, as its help lists them.
pub(crate) async fn values_of(compose: &Compose, option: &str) -> Result<BTreeSet<String>> {
    let help = ["exec", "-T", "order", "/usr/local/bin/order", "--help"];
    let help = compose.run(&help).await?;
    let lines = help.lines().map(str::trim);
    let values = lines
        .skip_while(|line| !line.starts_with(option))
        .skip(1)
        .take_while(|line| !line.starts_with("--"))
        .filter_map(|line| line.strip_prefix("- ")?.split(':').next());
    let all: BTreeSet<String> = values.map(str::to_owned).collect();
    ensure!(!all.is_empty(), "no values of {option} in\n{help}");
    Ok(all)
}
