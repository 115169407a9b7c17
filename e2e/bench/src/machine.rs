use std::process::Command;

use anyhow::{Context, Result};
use harness::Compose;
use serde_json::{Map, Value};

use super::costs::rounded;

const MIB: f64 = 1_048_576.0;

/// Which machine it is, and which commit is measured.
pub(super) fn description() -> Result<[(&'static str, Value); 2]> {
    let cores = std::thread::available_parallelism()?;
    let cpus = std::fs::read_to_string("/proc/cpuinfo")?;
    let mut models = cpus.lines().filter_map(|line| line.split_once(':'));
    let model = models.find(|(name, _)| name.trim() == "model name");
    let model = model.map_or("unknown", |(_, model)| model.trim());
    let commit = Command::new("git")
        .args(["rev-parse", "--short", "HEAD"])
        .output();
    let commit = String::from_utf8(commit.context("git")?.stdout)?;
    Ok([
        ("machine", format!("{cores} cores, {model}").into()),
        ("commit", commit.trim().into()),
    ])
}

/// How large the binaries are, in MiB.
pub(super) async fn binary_mib(compose: &Compose) -> Result<Value> {
    let mut sizes = Map::new();
    for service in Compose::SERVICES {
        let file = format!("/usr/local/bin/{service}");
        let size = ["exec", "-T", service, "stat", "-c", "%s", &file];
        let size: f64 = compose.run(&size).await?.trim().parse()?;
        sizes.insert(service.to_owned(), rounded(size / MIB, 10.0).into());
    }
    Ok(sizes.into())
}

/// Memory of the process of a service: `VmRSS` is what is resident now, `VmHWM` the most that was, in MiB.
pub(super) async fn memory_mib(compose: &Compose, service: &str, field: &str) -> Result<Value> {
    let status = ["exec", "-T", service, "cat", "/proc/1/status"];
    let status = compose.run(&status).await?;
    let mut lines = status.lines().filter_map(|line| line.split_once(':'));
    let line = lines.find(|(name, _)| *name == field);
    let (_, value) = line.with_context(|| format!("no {field}"))?;
    let kib: f64 = value.trim().trim_end_matches("kB").trim().parse()?;
    Ok(rounded(kib / 1_024.0, 10.0).into())
}
