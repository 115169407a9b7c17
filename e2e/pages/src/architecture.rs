//! The rule that services know nothing of each other, as a check on what is written.
//!
//! They may have `contracts` in common. A service does not depend on another, does not reach a
//! broker past `messaging`, and names neither the HTTP address nor the database of another, in its
//! source text or in its part of `docker-compose.yml`.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use crate::workspace::{Package, packages};

/// What only `messaging` may depend on, and what would be a way around it.
pub(crate) const BROKER_CLIENTS: [&str; 7] = [
    "lapin",
    "rdkafka",
    "rdkafka-sys",
    "amq-protocol",
    "amqprs",
    "kafka",
    "rskafka",
];
/// Where every service can be reached, so that nobody has to name it.
const GATEWAY: &str = "gateway";
const COMPOSE_FILE: &str = "docker-compose.yml";

/// What a service depends on and what it says.
#[derive(Debug, Clone, Default)]
pub struct Service {
    /// Name of the crate, the binary, the host and the database.
    pub name: String,
    /// Direct dependencies of every kind.
    pub dependencies: Vec<String>,
    /// File names with their text.
    pub texts: Vec<(String, String)>,
}

/// Every breach of the rule, as a sentence for people.
#[must_use]
pub fn breaches(services: &[Service]) -> Vec<String> {
    let mut found = Vec::new();
    for service in services {
        let name = &service.name;
        let others: Vec<_> = (services.iter().map(|other| other.name.as_str()))
            .filter(|other| other != name)
            .chain([GATEWAY])
            .collect();
        for dependency in &service.dependencies {
            if others.contains(&dependency.as_str()) {
                found.push(format!("{name} depends on the service {dependency}"));
            }
            if BROKER_CLIENTS.contains(&dependency.as_str()) {
                found.push(format!(
                    "{name} depends on {dependency}, which is hidden in messaging"
                ));
            }
        }
        for (file, text) in &service.texts {
            // In its configuration a service has no reason to name another at all.
            let is_configuration = file == COMPOSE_FILE;
            for word in words(text) {
                let names = |other: &str| is_configuration && word == other;
                for other in others
                    .iter()
                    .filter(|other| names(other) || addresses(word, other))
                {
                    found.push(format!("{name} addresses {other} in {file}: {word}"));
                }
            }
        }
    }
    found
}

/// Reads all services of the workspace at this path.
///
/// # Errors
///
/// When `cargo metadata` fails, finds no services or a file cannot be read.
pub fn read_services(workspace: &Path) -> Result<Vec<Service>> {
    let compose = fs::read_to_string(workspace.join(COMPOSE_FILE))?;
    let folder = workspace.join("services").canonicalize()?;
    let packages = packages(workspace)?;
    let mut services = Vec::new();
    for package in &packages {
        let Some(root) = package
            .manifest_path
            .parent()
            .filter(|root| root.parent() == Some(folder.as_path()))
        else {
            continue;
        };
        // Its tests are a package of their own.
        let tests = root.join("tests/Cargo.toml");
        let tests = packages.iter().find(|other| other.manifest_path == tests);
        let tests = tests.map(Package::dependencies).unwrap_or_default();
        let tests = tests.into_iter().filter(|name| *name != package.name);
        let own = block(&compose, &package.name);
        let mut texts = vec![(COMPOSE_FILE.to_owned(), shared_blocks(&compose) + &own)];
        for part in ["src", "migrations", "tests", "templates"] {
            read_texts(&root.join(part), workspace, &mut texts)?;
        }
        services.push(Service {
            name: package.name.clone(),
            dependencies: package.dependencies().into_iter().chain(tests).collect(),
            texts,
        });
    }
    ensure!(
        services.len() >= 3,
        "only {} services were found",
        services.len()
    );
    Ok(services)
}

fn read_texts(folder: &Path, workspace: &Path, texts: &mut Vec<(String, String)>) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read_texts(&path, workspace, texts)?;
        } else {
            let name = path
                .strip_prefix(workspace)
                .unwrap_or(&path)
                .display()
                .to_string();
            texts.push((name, fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

/// The lines of one service in `docker-compose.yml`, where services are indented by two spaces.
fn block(compose: &str, service: &str) -> String {
    let start = format!("  {service}:");
    let lines = compose.lines().skip_while(|line| *line != start).skip(1);
    let lines = lines.take_while(|line| line.is_empty() || line.starts_with("   "));
    lines.collect::<Vec<_>>().join("\n")
}

/// What services have in common there: the blocks that begin with `x-`.
fn shared_blocks(compose: &str) -> String {
    let mut is_shared = false;
    let lines = compose.lines().filter(|line| {
        if !line.starts_with([' ', '#']) {
            is_shared = line.starts_with("x-");
        }
        is_shared
    });
    lines.map(|line| format!("{line}\n")).collect()
}

/// The text cut where an address can neither go on nor begin.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || "\"'`<>()[]{},;|".contains(c))
}

/// Whether the word is `host:port`, `dbname=` or a URL whose host, user or database is the service.
fn addresses(word: &str, service: &str) -> bool {
    if word.strip_prefix("dbname=") == Some(service) {
        return true;
    }
    let Some((scheme, rest)) = word.split_once("://") else {
        return is_host(word, service) && word.len() > service.len();
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let database = path
        .split('?')
        .next()
        .filter(|_| scheme.starts_with("postgres"));
    is_host(host, service) || user.split(':').next() == Some(service) || database == Some(service)
}

/// Whether it is the service's name, with or without a port.
fn is_host(text: &str, service: &str) -> bool {
    let Some(rest) = text.strip_prefix(service) else {
        return false;
    };
    let port = rest
        .strip_prefix(':')
        .and_then(|rest| rest.split('/').next());
    rest.is_empty()
        || port.is_some_and(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}
