//! Puts the system under load, from inside the Compose network.
//!
//! By itself it is a service that places orders when somebody asks for a flash sale. `load bench`, `load
//! drained` and `load console` measure instead, see `./dev bench`: figures go to standard output as one line of JSON, words for
//! people to the error output.

use std::process::ExitCode;
use std::sync::Arc;

use bench::load::sale::{Sales, config::Config, http::routes};
use bench::load::{Options, Scenario, console_api, drained};
use clap::{Parser, Subcommand};
use runtime::{Lifecycle, health::Health, http};
use uuid::Uuid;

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
    /// Ask the console what its page asks, and print how long that takes.
    Console {
        /// The last order of the page before a deep one.
        #[arg(long)]
        before: Uuid,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    // All others are arguments of the service.
    if let Some("bench" | "drained" | "console") = std::env::args().nth(1).as_deref() {
        measure()?;
        return Ok(ExitCode::SUCCESS);
    }
    Ok(runtime::run("load", serve))
}

async fn serve(config: Config, life: &Lifecycle) -> anyhow::Result<()> {
    let sales = Sales::new(config.gateway_url, config.demo, life.token());
    let api = routes(Arc::new(sales));
    let app = http::app("load", api, Health::default(), &config.http.allowed_hosts);
    life.spawn("http", |token| http::serve(config.http.addr, app, token));
    Ok(())
}

// One thread: it must leave the cores to what it measures.
#[tokio::main(flavor = "current_thread")]
async fn measure() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Bench { scenario, options } => {
            let run = scenario.run(&options);
            println!("{}", tokio::task::LocalSet::new().run_until(run).await?);
            Ok(())
        }
        Command::Drained => drained().await,
        Command::Console { before } => {
            println!("{}", console_api(before).await?);
            Ok(())
        }
    }
}
