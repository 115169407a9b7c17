//! The guided tour through the running system; see `./dev tour`.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tour::{Ground, STEPS, Screen, Step, step};

#[derive(Parser)]
#[command(bin_name = "./dev tour", version, about)]
struct Arguments {
    /// Only these steps, by number; all of them unless said otherwise.
    #[arg(value_parser = clap::value_parser!(u8).range(1..=11))]
    steps: Vec<u8>,

    /// Go on without waiting for Enter.
    #[arg(long, short)]
    yes: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let screen = Screen::new(arguments.yes);
    match tour(&arguments, &screen).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            screen.fail(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn tour(arguments: &Arguments, screen: &Screen) -> Result<()> {
    let ground = Ground::survey()
        .await
        .context("the system is not ready; start it with `./dev up`")?;
    let mut steps: Vec<_> = arguments.steps.iter().copied().filter_map(step).collect();
    if steps.is_empty() {
        steps = STEPS.iter().collect();
    }
    for step in steps {
        let outcome = tokio::select! {
            outcome = show(step, &ground, screen) => outcome,
            interrupted = interrupted() => Err(interrupted),
        };
        if let Err(error) = &outcome {
            screen.fail(&format!("{error:#}"));
        }
        // Whatever happened, nobody shall find the system other than it was.
        let restored = ground
            .put_back()
            .await
            .context("not everything is as before")?;
        screen.put_back(&restored);
        if outcome.is_err() {
            bail!("step {} did not end; the system is as it was", step.number);
        }
    }
    Ok(())
}

async fn show(step: &Step, ground: &Ground, screen: &Screen) -> Result<()> {
    let addresses = Ground::addresses()?;
    let addresses: Vec<_> = addresses
        .iter()
        .map(|(name, at)| (*name, at.as_str()))
        .collect();
    screen.open(step, &addresses).await?;
    let outcome = step.run(ground, screen).await?;
    screen.close(step, &outcome);
    Ok(())
}

/// Returns when somebody wants it to end.
async fn interrupted() -> anyhow::Error {
    async fn wait() -> Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => Ok(pressed?),
            _ = terminate.recv() => Ok(()),
        }
    }
    match wait().await {
        Ok(()) => anyhow::anyhow!("interrupted"),
        Err(error) => error,
    }
}
