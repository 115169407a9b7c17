//! Measures the system part by part, from the host; see `./dev bench`.

use std::fs;
use std::io::stdout;
use std::path::PathBuf;

use anyhow::{Context, Result};
use bench::{Bench, Part, publish, report};
use clap::Parser;

#[derive(Parser)]
#[command(bin_name = "./dev bench", version, about)]
struct Arguments {
    /// Only these parts; all of them but `volume` unless said otherwise. They come in the order of this list.
    parts: Vec<Part>,

    /// Write the figures to this file as well.
    #[arg(long)]
    json: Option<PathBuf>,

    /// For how long to measure in each part, for a quick look.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: Option<u64>,

    /// How many orders, notifications and entries of the inbox `volume` fills in; a tenth of it waits in an outbox.
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    rows: u64,

    /// Look at the arguments and do nothing.
    #[arg(long, hide = true)]
    check: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if arguments.check {
        return Ok(());
    }
    let seconds = arguments
        .seconds
        .map(|seconds| format!("--seconds={seconds}"));
    let bench = Bench::new(seconds.into_iter().collect(), arguments.rows)?;
    let figures = bench.measure(&Part::in_order(&arguments.parts)).await?;
    report(&figures, stdout().lock())?;
    if let Some(file) = arguments.json {
        fs::write(&file, serde_json::to_string(&figures)? + "\n")
            .with_context(|| file.display().to_string())?;
    }
    publish(&figures)
}
