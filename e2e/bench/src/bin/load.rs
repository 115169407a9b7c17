//! Puts the system under load and measures it, from inside the Compose network; see `./dev bench`.
//!
//! Figures go to standard output as one line of JSON, words for people to the error output.

use bench::load::{Options, Scenario, drained};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run one scenario and print its figures.
    Bench {
        scenario: Scenario,
        #[command(flatten)]
        options: Options,
    },
    /// Wait until no order is pending.
    Drained,
}

// One thread: it must leave the cores to what it measures.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Bench { scenario, options } => {
            let run = scenario.run(&options);
            println!("{}", tokio::task::LocalSet::new().run_until(run).await?);
            Ok(())
        }
        Command::Drained => drained().await,
    }
}
