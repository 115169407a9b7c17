//! `./dev letters`, as somebody types it.

use std::path::Path;
use std::process::Output;

use anyhow::{Context, Result, ensure};
use harness::setting;
use tokio::process::Command;

/// What `./dev letters` prints.
pub(crate) async fn succeeded(arguments: &[&str]) -> Result<String> {
    let output = letters(arguments).await?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?}: {error}");
    Ok(String::from_utf8(output.stdout)?)
}

pub(crate) async fn letters(arguments: &[&str]) -> Result<Output> {
    let gateway = setting("GATEWAY_URL")?;
    let (_, port) = gateway.rsplit_once(':').context("no port")?;
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dev"));
    command
        .arg("letters")
        .args(arguments)
        .env("GATEWAY_PORT", port);
    Ok(command.output().await?)
}
