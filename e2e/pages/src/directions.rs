//! Which crate of `e2e` may know which, and that nobody else knows them.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, ensure};

use crate::architecture::BROKER_CLIENTS;
use crate::workspace::packages;

/// What each crate of `e2e` may depend on directly; what those depend on is allowed as well.
const BELOW: [(&str, &[&str]); 9] = [
    ("pages", &[]),
    ("harness", &["contracts"]),
    ("checker", &["harness"]),
    ("attacks", &["checker"]),
    ("bench", &["harness", "runtime"]),
    ("autoscale", &["harness"]),
    ("tour", &["harness"]),
    ("browser", &["harness"]),
    ("e2e", &["pages", "attacks", "bench", "autoscale", "tour"]),
];

/// A crate of the workspace with its direct dependencies of every kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Whether its folder is in `e2e`.
    pub is_e2e: bool,
    /// The names of crates, those of the workspace among them.
    pub dependencies: Vec<String>,
}

/// Every dependency that goes the wrong way, as a sentence for people.
#[must_use]
pub fn wrong_ways(members: &[Member]) -> Vec<String> {
    let is_member = |name: &str| members.iter().any(|member| member.name == name);
    let mut found = Vec::new();
    for Member {
        name,
        is_e2e,
        dependencies,
    } in members
    {
        let allowed = allowed(name);
        for dependency in dependencies.iter().filter(|name| is_member(name)) {
            let is_known = BELOW.iter().any(|(name, _)| name == dependency);
            if *is_e2e && !allowed.contains(dependency.as_str()) {
                found.push(format!(
                    "{name} depends on {dependency}, which is not below it"
                ));
            } else if !is_e2e && is_known {
                found.push(format!(
                    "{name} depends on {dependency}, which is for tests"
                ));
            }
        }
        if *is_e2e && !BELOW.iter().any(|(known, _)| known == name) {
            found.push(format!("nothing says what {name} may depend on"));
        }
        let is_client = |dependency: &&String| BROKER_CLIENTS.contains(&dependency.as_str());
        if let Some(client) = dependencies
            .iter()
            .find(is_client)
            .filter(|_| name == "pages")
        {
            found.push(format!("{name} depends on {client}, and needs no broker"));
        }
    }
    found
}

/// Reads all crates of the workspace at this path.
///
/// # Errors
///
/// When `cargo metadata` fails or knows of no `e2e`.
pub fn read_members(workspace: &Path) -> Result<Vec<Member>> {
    let folder = workspace.join("e2e").canonicalize()?;
    let members = packages(workspace)?.into_iter().map(|package| Member {
        is_e2e: package.manifest_path.starts_with(&folder),
        name: package.name.clone(),
        dependencies: package.dependencies(),
    });
    let members: Vec<_> = members.collect();
    let found = members.iter().filter(|member| member.is_e2e).count();
    ensure!(found == BELOW.len(), "{found} crates were found in e2e");
    Ok(members)
}

fn allowed(name: &str) -> BTreeSet<&'static str> {
    let direct = BELOW.iter().find(|(crate_name, _)| *crate_name == name);
    let direct = direct.map_or(&[][..], |(_, below)| below);
    let below = direct.iter().flat_map(|below| allowed(below));
    below.chain(direct.iter().copied()).collect()
}
