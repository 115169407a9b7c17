//! Scales services of Compose by the ScaledObjects of `deploy/kubernetes`; see `./dev autoscale`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use autoscale::{ScaledObject, System};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Where the files are that Kubernetes gets.
const FOLDER: &str = "deploy/kubernetes/base";

#[derive(Parser)]
#[command(bin_name = "./dev autoscale", version, about)]
struct Arguments {
    /// Only these ScaledObjects; all of `deploy/kubernetes/base` unless said otherwise.
    files: Vec<PathBuf>,

    /// End after so many seconds; unless said otherwise, Ctrl-C ends it.
    #[arg(long = "for", value_name = "SECONDS")]
    lasts: Option<u64>,

    /// Neither the stabilisation window nor a period of shrinking is longer than so many seconds, whatever the files say.
    #[arg(long, value_name = "SECONDS")]
    window: Option<u64>,

    /// Look at the arguments and the files, and do nothing.
    #[arg(long, hide = true)]
    check: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match autoscale(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("autoscale: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn autoscale(arguments: Arguments) -> Result<()> {
    let mut objects = if arguments.files.is_empty() {
        ScaledObject::read_all(Path::new(FOLDER))?
    } else {
        ScaledObject::read_files(&arguments.files)?
    };
    if arguments.check {
        return Ok(());
    }
    if let Some(window) = arguments.window.map(Duration::from_secs) {
        for object in &mut objects {
            object.behavior.shrink_within(window);
        }
    }
    let system = System::from_environment()?;
    let stop = CancellationToken::new();
    let stopping = async {
        let ended = ended(arguments.lasts).await;
        stop.cancel();
        ended
    };
    // What is wrong is known before there is anything to end.
    tokio::try_join!(system.obey(&objects, &stop), stopping)?;
    Ok(())
}

/// Returns when somebody wants it to end, or the time is over.
async fn ended(lasts: Option<u64>) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let over = async {
        match lasts {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed?,
        _ = terminate.recv() => {}
        () = over => {}
    }
    Ok(())
}
