//! What the README shows in blocks marked `console` is what the system does. They are run as written,
//! in their order, with two differences: `localhost:8080` is where the gateway under test is, and the ids
//! that an earlier command has printed take the places of those that the page shows.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use harness::{SOON, Stack, eventually, setting};
use pages::claims::{Command, Page, console};

/// What the README orders.
const SKU: &str = "PADDLE-CARBON";

#[tokio::test]
async fn the_readme_shows_what_its_commands_print() -> Result<()> {
    let stack = Stack::alone().await?;
    let before = stack.gateway.stock(SKU).await?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let commands = console(&Page::read(&root.join("README.md"))?);
    ensure!(commands.len() >= 3, "only {} commands", commands.len());

    let gateway = setting("GATEWAY_URL")?;
    let gateway = gateway.trim_start_matches("http://");
    let mut ids: Vec<(String, String)> = Vec::new();
    for command in &commands {
        let mut line = command.line.replace("localhost:8080", gateway);
        for (shown, real) in &ids {
            line = line.replace(shown, real);
        }
        ids.extend(run(&root, command, &line).await?);
    }
    // The order is paid by now, so that nothing of it is left for other tests to stumble over.
    eventually("the order's stock is sold", SOON, async || {
        let stock = stack.gateway.stock(SKU).await?;
        Ok((stock.reserved == before.reserved && stock.sold > before.sold).then_some(()))
    })
    .await
}

/// Runs a command until it prints what is shown, as somebody does who reads before typing. Only
/// looking changes nothing; whatever else a command does, it does once.
async fn run(root: &Path, command: &Command, line: &str) -> Result<Vec<(String, String)>> {
    let looks_only = line.starts_with("curl") && !line.contains(" -d ") && !line.contains(" -X ");
    let mut printed = String::new();
    let mut once = async || {
        let mut shell = tokio::process::Command::new("bash");
        let output = shell.args(["-c", line]).current_dir(root).output().await?;
        printed = String::from_utf8(output.stdout)?;
        anyhow::Ok(command.shown.ids_in(&printed))
    };
    let found = if looks_only {
        eventually(line, SOON, once).await.ok()
    } else {
        once().await?
    };
    found.with_context(|| {
        let shown = &command.shown.text;
        format!("{line}\nprints\n{printed}\nwhile the README shows\n{shown}")
    })
}
