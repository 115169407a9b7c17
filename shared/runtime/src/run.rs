use std::{io, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, builder::Resettable};
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
};
use tracing::{error, info};

use crate::{
    Lifecycle,
    config::{HttpArgs, ShutdownArgs, TelemetryArgs},
    probe,
    secret_files::with_secret_files,
    telemetry::{self, Telemetry},
    trust,
};

/// One is enough for work that mostly waits, and each more costs memory.
const WORKER_THREADS: usize = 1;

/// The whole `main` of a service: reads the configuration, starts the service, and stops it when
/// SIGTERM or SIGINT arrives or when one of its tasks dies.
///
/// A variable that is set to nothing counts as one that is not set. A secret, say `DATABASE_URL`, may stand in a file
/// that `DATABASE_URL_FILE` names.
///
/// `start` wires the service together and returns; what shall go on is given to
/// [`Lifecycle::spawn`]. A signal that arrives while it still waits (for the database, say) drops it.
/// Stopping: the token is cancelled, tasks get `SHUTDOWN_TIMEOUT` (8 s) to finish, telemetry is
/// flushed last. The exit code is 0 only if nothing died and everything ended in time.
pub fn run<C, S>(service: &'static str, start: S) -> ExitCode
where
    C: Args,
    S: AsyncFnOnce(C, &Lifecycle) -> anyhow::Result<()>,
{
    let matches = matches(service, command::<C>(service));
    serve(service, &matches, start)
}

/// The same with one more sub-command, by which the program does some `work` once and ends, instead of being
/// the service. It has no log: what went wrong is one line on standard error.
pub fn run_or<C, W, S>(
    service: &'static str,
    name: &'static str,
    about: &'static str,
    work: W,
    start: S,
) -> ExitCode
where
    C: Args,
    W: AsyncFnOnce(C) -> anyhow::Result<()>,
    S: AsyncFnOnce(C, &Lifecycle) -> anyhow::Result<()>,
{
    let once = C::augment_args(Command::new(name).about(about)).mut_args(without_empty_variable);
    let matches = matches(service, command::<C>(service).subcommand(once));
    let Some((_, arguments)) = matches.subcommand().filter(|(called, _)| *called == name) else {
        return serve(service, &matches, start);
    };
    let config = read::<C>(service, arguments);
    let worked = tokio_runtime().map_err(anyhow::Error::from);
    let worked = worked.and_then(|runtime| {
        let worked = runtime.block_on(work(config));
        runtime.shutdown_background();
        worked
    });
    exit_code(service, worked.map(|()| ExitCode::SUCCESS))
}

fn serve<C, S>(service: &'static str, matches: &ArgMatches, start: S) -> ExitCode
where
    C: Args,
    S: AsyncFnOnce(C, &Lifecycle) -> anyhow::Result<()>,
{
    if let Some(("health", arguments)) = matches.subcommand() {
        return probe::ready(&read::<HttpArgs>(service, arguments));
    }
    let config = read::<C>(service, matches);
    let telemetry = read::<TelemetryArgs>(service, matches);
    let shutdown = read::<ShutdownArgs>(service, matches);
    let ended = process(
        service,
        &telemetry,
        shutdown.timeout,
        async |life: &Lifecycle| start(config, life).await,
    );
    exit_code(service, ended)
}

/// Logging may not have started yet, so an error goes to standard error.
fn exit_code(service: &'static str, ended: anyhow::Result<ExitCode>) -> ExitCode {
    ended.unwrap_or_else(|error| {
        eprintln!("{service}: {error:#}");
        ExitCode::FAILURE
    })
}

fn matches(service: &'static str, command: Command) -> ArgMatches {
    let (command, wrong) = with_secret_files(command, &|name| std::env::var_os(name));
    let wrong = wrong.or_else(|| trust::wrong_authorities(std::env::var_os(trust::VARIABLE)));
    let matches = command.try_get_matches();
    match (matches, wrong) {
        (Err(help), _) if !help.use_stderr() => help.exit(),
        (_, Some(wrong)) => {
            eprintln!("{service}: {wrong}");
            std::process::exit(2)
        }
        (Ok(matches), None) => matches,
        (Err(error), None) => refuse(service, &error),
    }
}

fn command<C: Args>(service: &'static str) -> Command {
    let health = Command::new("health")
        .about("Ask the running process whether it is ready, and exit with 0 or 1");
    let command = ShutdownArgs::augment_args(TelemetryArgs::augment_args(C::augment_args(
        Command::new(service),
    )));
    // Clap would otherwise demand the service's own variables for the sub-command as well.
    command
        .mut_args(without_empty_variable)
        .subcommand(HttpArgs::augment_args(health).mut_args(without_empty_variable))
        .subcommand_negates_reqs(true)
}

/// A variable that is set to nothing is one that is not set: that is what `NAME=` in an `.env` file
/// means, and what Compose passes on for it.
fn without_empty_variable(argument: Arg) -> Arg {
    let variable = argument.get_env().and_then(std::env::var_os);
    if variable.is_some_and(|value| value.is_empty()) {
        argument.env(Resettable::Reset)
    } else {
        argument
    }
}

fn read<A: FromArgMatches>(service: &'static str, matches: &ArgMatches) -> A {
    A::from_arg_matches(matches).unwrap_or_else(|error| refuse(service, &error))
}

/// Ends the process with help on request, else with what is wrong: the first paragraph of clap's
/// explanation on one line, as it will be read in the log of a container.
fn refuse(service: &'static str, error: &clap::Error) -> ! {
    if !error.use_stderr() {
        error.exit();
    }
    let text = error.to_string();
    let lines = text
        .lines()
        .take_while(|line| !line.is_empty())
        .map(str::trim);
    eprintln!("{service}: {}", lines.collect::<Vec<_>>().join(" "));
    std::process::exit(error.exit_code())
}

fn process(
    service: &'static str,
    telemetry: &TelemetryArgs,
    deadline: Duration,
    start: impl AsyncFnOnce(&Lifecycle) -> anyhow::Result<()>,
) -> anyhow::Result<ExitCode> {
    let runtime = tokio_runtime()?;
    let code = runtime.block_on(async {
        // Inside the runtime, because the exporter's connection lives on it.
        let telemetry = telemetry::init(service, telemetry).context("telemetry could not start")?;
        let code = live(service, deadline, start).await?;
        Telemetry::flush(telemetry).await;
        anyhow::Ok(code)
    });
    // Do not wait for blocking work (name resolution, say) that outlived the deadline.
    runtime.shutdown_background();
    code
}

fn tokio_runtime() -> io::Result<Runtime> {
    // Every TLS client of the process uses this one. Fails only if it was installed before.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .enable_all()
        .build()
}

async fn live(
    service: &'static str,
    deadline: Duration,
    start: impl AsyncFnOnce(&Lifecycle) -> anyhow::Result<()>,
) -> anyhow::Result<ExitCode> {
    let life = Lifecycle::default();
    stop_on_signal(&life)?;
    info!(version = env!("CARGO_PKG_VERSION"), "{service} starts");
    let token = life.token();
    let started = tokio::select! {
        started = start(&life) => started,
        () = token.cancelled() => Ok(()),
    };
    let mut code = ExitCode::SUCCESS;
    if let Err(error) = started {
        error!(error = format!("{error:#}"), "{service} could not start");
        code = ExitCode::FAILURE;
        life.stop();
    }
    if let Err(error) = life.finish(deadline).await {
        error!("{service} ends with an error: {error:#}");
        code = ExitCode::FAILURE;
    } else {
        info!("{service} has stopped");
    }
    Ok(code)
}

fn stop_on_signal(life: &Lifecycle) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let life = life.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => info!("SIGTERM received, stopping"),
            _ = interrupt.recv() => info!("SIGINT received, stopping"),
        }
        life.stop();
    });
    Ok(())
}
