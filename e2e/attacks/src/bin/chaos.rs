//! Attacks the running system under load and says whether it kept its promises; see `./dev chaos`.

use std::fs;
use std::io::stdout;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use attacks::{Arena, Guarantee, MailRoute, Options, Report, run};
use clap::Parser;
use harness::{Compose, Gateway, Management, http_client};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// Orders that clients want, over all seeds.
    #[arg(long, default_value_t = 5_000)]
    orders: usize,

    /// Faults, over all seeds.
    #[arg(long, default_value_t = 30)]
    faults: usize,

    /// Gives the same schedule again. Several seeds are several rounds; none is one by chance.
    #[arg(long = "seed")]
    seeds: Vec<u64>,

    /// Write the report to this file as well.
    #[arg(long)]
    json: Option<PathBuf>,

    /// Attack a cluster, with three nodes of each broker: one node of a broker at a time.
    #[arg(long)]
    cluster: bool,

    /// Give up this guarantee, to see what it is for.
    #[arg(long)]
    without: Option<Guarantee>,

    /// Print with which settings the services have to be started, and end.
    #[arg(long, hide = true)]
    settings: bool,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if arguments.settings {
        println!(
            "{}",
            arguments
                .without
                .map(Guarantee::settings)
                .unwrap_or_default()
        );
        return Ok(ExitCode::SUCCESS);
    }
    let mut seeds = arguments.seeds;
    if seeds.is_empty() {
        seeds.push(fastrand::u64(..1_000_000));
    }
    let options = Options {
        orders: arguments.orders,
        faults: arguments.faults,
        seeds,
    };
    let http = http_client(Duration::from_secs(15))?;
    let (gateway, rabbitmq) = (Gateway::new(http.clone())?, Management::new(http)?);
    let mail = MailRoute::from_environment().await?;
    let compose = Compose::from_environment()?;
    let arena = Arena::new(rabbitmq.clone(), compose, mail, arguments.cluster)?;

    arena.restore().await.context("the system is not ready")?;
    let outcome = tokio::select! {
        outcome = run(&options, &arena, gateway, rabbitmq) => outcome,
        interrupted = interrupted() => Err(interrupted),
    };
    // What is known is said before anything else can fail.
    let concluded = match &outcome {
        Ok(report) => conclude(report, arguments.json),
        Err(error) => {
            eprintln!("The run was not finished: {error:#}");
            // It may have left anything behind.
            if let Err(error) = arena.restore().await {
                eprintln!("Not everything could be healed: {error:#}");
            }
            Ok(())
        }
    };
    let is_kept = matches!(&outcome, Ok(report) if report.violations.is_empty());
    if !is_kept {
        let folder = arena.save_all_logs().await.context("save the logs")?;
        println!("The logs of all containers are in {folder}/.");
    }
    concluded?;
    Ok(if is_kept {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn conclude(report: &Report, json: Option<PathBuf>) -> Result<()> {
    report.print(stdout().lock())?;
    if let Some(file) = json {
        fs::write(&file, serde_json::to_string_pretty(report)?)
            .with_context(|| file.display().to_string())?;
    }
    Ok(())
}

/// Returns when somebody wants it to end.
async fn interrupted() -> anyhow::Error {
    async fn wait() -> Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed?,
            _ = terminate.recv() => {}
        }
        bail!("interrupted")
    }
    match wait().await {
        Ok(()) => anyhow::anyhow!("interrupted"),
        Err(error) => error,
    }
}
