//! A flood, and as many instances as it takes: `./dev autoscale` obeys the ScaledObject that Kubernetes gets.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use harness::{Compose, Stack, StockLevel, eventually, program, wish};
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;
use uuid::Uuid;

const OBJECT: &str = "deploy/kubernetes/base/inventory/scaledobject.yaml";
const CONTROL: &str = "/api/console/controls/inventory";
/// The product that is counted here and nowhere else.
const SKU: &str = "BOTTLE-STEEL";
/// A small flood, for which an instance is enough for each 20 commands.
const ORDERS: usize = 100;
const TOGETHER: usize = 20;
const CAP: usize = 4;
/// How long anything may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(300);
/// How often is looked whether it has ended.
const PAUSE: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_flood_brings_instances_up_to_the_cap_and_they_go_when_it_is_over() -> Result<()> {
    let stack = Stack::alone().await?;
    let before = stack.gateway.stock(SKU).await?;
    let file = small_target()?;
    let mut autoscale = Autoscale::start(&file)?;
    // Nobody works while the water rises, however quick the machine is.
    let pause = json!({"pause": true, "seconds": 600, "by": "e2e"});
    let answer = stack.gateway.call(Method::PUT, CONTROL, &pause).await?;
    ensure!(answer.status == 200, "{answer:?}");
    let grown = async {
        let orders = flood(&stack).await?;
        // In one step or in several, as the broker counts.
        autoscale.says(" -> 4: ").await?;
        there_are(&stack.compose, CAP).await?;
        anyhow::Ok(orders)
    };
    let grown = grown.await;
    let answer = stack.gateway.delete(CONTROL).await?;
    let orders = grown?;
    ensure!(answer.status == 204, "{answer:?}");

    // At once where they came within the period that the policy looks at, else one after the other.
    autoscale.says(" -> 1: ").await?;
    there_are(&stack.compose, 1).await?;
    autoscale.interrupt().await?;

    let confirmed = stream::iter(&orders)
        .map(|id| stack.gateway.reaches(*id, "confirmed", LIMIT))
        .buffer_unordered(TOGETHER);
    confirmed.try_for_each(async |_| Ok(())).await?;
    let pieces = i64::try_from(ORDERS)?;
    let reserved = StockLevel {
        available: before.available - pieces,
        reserved: before.reserved + pieces,
        ..before
    };
    stack.gateway.stock_becomes(SKU, reserved).await
}

#[tokio::test]
async fn a_service_that_is_not_there_ends_it_before_anything_is_changed() -> Result<()> {
    let _stack = Stack::shared().await?;
    let text = std::fs::read_to_string(root().join(OBJECT))?;
    let file = written(
        "stranger",
        &text.replace("name: inventory\n", "name: stranger\n"),
    )?;
    let output = command(&file)?.stderr(Stdio::piped()).output().await?;
    let error = String::from_utf8(output.stderr)?;
    let said = format!(
        "autoscale: {}: spec.scaleTargetRef.name: there is no service \"stranger\"\n",
        file.display()
    );
    ensure!(!output.status.success() && error == said, "{error}");
    ensure!(output.stdout.is_empty());
    Ok(())
}

/// The program, and what it prints.
struct Autoscale {
    running: Child,
    lines: Lines<BufReader<ChildStdout>>,
    shown: String,
}

impl Autoscale {
    fn start(file: &Path) -> Result<Self> {
        let mut running = command(file)?.args(["--window", "2"]).spawn()?;
        let lines = BufReader::new(running.stdout.take().context("no output")?).lines();
        let shown = String::new();
        Ok(Self {
            running,
            lines,
            shown,
        })
    }

    /// Waits for a line with this text.
    async fn says(&mut self, text: &str) -> Result<()> {
        let said = match timeout(LIMIT, self.reads(text)).await {
            Ok(said) => said,
            Err(late) => Err(late.into()),
        };
        said.with_context(|| format!("it does not say {text:?}:\n{}", self.shown))
    }

    async fn reads(&mut self, text: &str) -> Result<()> {
        while let Some(line) = self.lines.next_line().await? {
            self.shown.push_str(&line);
            self.shown.push('\n');
            if line.contains(text) {
                return Ok(());
            }
        }
        bail!("it has ended")
    }

    async fn interrupt(&mut self) -> Result<()> {
        self.press_ctrl_c()?;
        self.says("inventory is left with 1 instance(s)").await?;
        let ended = timeout(LIMIT, self.running.wait()).await??;
        ensure!(ended.success(), "{ended}: {}", self.shown);
        Ok(())
    }

    /// What Ctrl-C does. Blocks the thread for a moment, so that it can be done where a test ends.
    fn press_ctrl_c(&self) -> Result<()> {
        let id = self.running.id().context("it has ended")?.to_string();
        let mut kill = std::process::Command::new("kill");
        let told = kill.args(["-INT", &id]).status()?;
        ensure!(told.success(), "{told}");
        Ok(())
    }
}

impl Drop for Autoscale {
    /// When a test fails in the middle, the program is left to finish what it has begun: killed, it would leave a
    /// `docker compose` that goes on scaling beside whoever puts everything back.
    fn drop(&mut self) {
        if self.press_ctrl_c().is_err() {
            return;
        }
        let until = Instant::now() + LIMIT;
        while matches!(self.running.try_wait(), Ok(None)) && Instant::now() < until {
            std::thread::sleep(PAUSE);
        }
    }
}

async fn flood(stack: &Stack) -> Result<Vec<Uuid>> {
    let orders = stream::iter(0..ORDERS)
        .map(|_| async { anyhow::Ok(stack.gateway.place(&wish(SKU, 1)).await?.id) })
        .buffer_unordered(TOGETHER);
    orders.try_collect().await
}

/// Waits until there are so many instances of `inventory`, and all of them run.
async fn there_are(compose: &Compose, instances: usize) -> Result<()> {
    eventually(format!("{instances} of inventory"), LIMIT, async || {
        let containers = compose.containers("inventory").await?;
        let do_run = containers.values().all(|one| one.state == "running");
        Ok((do_run && containers.len() == instances).then_some(()))
    })
    .await
}

/// What Kubernetes gets, for a small flood and an impatient reader.
fn small_target() -> Result<PathBuf> {
    let mut text = std::fs::read_to_string(root().join(OBJECT))?;
    for (ours, here) in [
        ("value: \"1000\"", "value: \"20\""),
        ("pollingInterval: 5", "pollingInterval: 1"),
    ] {
        ensure!(text.contains(ours), "{OBJECT} has no {ours}");
        text = text.replace(ours, here);
    }
    written("flood", &text)
}

fn written(name: &str, text: &str) -> Result<PathBuf> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.yaml"));
    std::fs::write(&file, text)?;
    Ok(file)
}

fn command(file: &Path) -> Result<Command> {
    let mut command = Command::new(program("autoscale")?);
    command
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    Ok(command)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
