use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::setting;

/// Until everything is healthy, and not for ever.
const WAIT: [&str; 3] = ["--wait", "--wait-timeout", "120"];

/// `docker compose` on the project under test.
#[derive(Debug, Clone)]
pub struct Compose {
    command: Vec<String>,
}

/// A container of a service.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Container {
    /// Its name, which ends in its number.
    pub name: String,
    /// `running`, `exited` and so on.
    pub state: String,
    /// What its process ended with; 0 while it runs.
    pub exit_code: i32,
}

impl Compose {
    /// The services that sell. The console watches them and nobody needs it; everything else is infrastructure.
    pub const SERVICES: [&str; 3] = ["order", "inventory", "notification"];

    /// As `SPILLWAY_COMPOSE` says, for example `docker compose`.
    pub fn from_environment() -> Result<Self> {
        let command = setting("SPILLWAY_COMPOSE")?;
        Ok(Self {
            command: command.split_whitespace().map(str::to_owned).collect(),
        })
    }

    /// Runs a command and returns what it printed.
    pub async fn run(&self, arguments: &[&str]) -> Result<String> {
        self.run_with(&[], arguments).await
    }

    /// The same with further environment variables.
    pub async fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Result<String> {
        let mut command = tokio::process::Command::from(self.command(arguments)?);
        let output = command
            .envs(variables.iter().copied())
            .kill_on_drop(true)
            // Ctrl-C in a terminal is for us, who may still have to put things back.
            .process_group(0)
            .output()
            .await?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "docker compose {}: {error}",
            arguments.join(" ")
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The same as [`Compose::run`], while what is said to people goes to our own error output. Ctrl-C in a
    /// terminal ends it too.
    pub async fn show(&self, arguments: &[&str]) -> Result<String> {
        let mut command = tokio::process::Command::from(self.command(arguments)?);
        command.stdout(Stdio::piped()).kill_on_drop(true);
        let output = command.spawn()?.wait_with_output().await?;
        ensure!(
            output.status.success(),
            "docker compose {}: {}",
            arguments.join(" "),
            output.status
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Stops services, with SIGTERM.
    pub async fn stop(&self, services: &[&str]) -> Result<()> {
        self.run(&[&["stop"], services].concat()).await.map(drop)
    }

    /// Starts stopped services and does not wait for them.
    pub async fn start(&self, services: &[&str]) -> Result<()> {
        self.run(&[&["start"], services].concat()).await.map(drop)
    }

    /// Runs so many instances of these services and waits until they are healthy. What runs as it should is
    /// not touched, and neither is any other service.
    pub async fn up(&self, scale: &[(&str, usize)]) -> Result<()> {
        let services: Vec<_> = scale.iter().map(|(service, _)| *service).collect();
        let rest = [&WAIT[..], &["--no-deps"], &services].concat();
        self.bring_up(scale, &rest).await
    }

    /// The same, and everything else has to be healthy as well.
    pub async fn up_all(&self, scale: &[(&str, usize)]) -> Result<()> {
        self.bring_up(scale, &WAIT).await
    }

    /// Runs so many instances of these services and does not wait for them.
    pub async fn scale(&self, scale: &[(&str, usize)]) -> Result<()> {
        let services: Vec<_> = scale.iter().map(|(service, _)| *service).collect();
        let rest = [&["--no-deps"], &services[..]].concat();
        self.bring_up(scale, &rest).await
    }

    async fn bring_up(&self, scale: &[(&str, usize)], rest: &[&str]) -> Result<()> {
        let instances = scale.iter();
        let instances = instances.map(|(service, number)| format!("--scale={service}={number}"));
        let instances: Vec<_> = instances.collect();
        let mut up = vec!["up", "--detach", "--no-build", "--no-recreate"];
        up.extend(instances.iter().map(String::as_str));
        up.extend(rest);
        self.run(&up).await.map(drop)
    }

    /// Makes everything run as configured, each service once, and waits until it is healthy. Blocks
    /// the thread, so that it can be used where a test ends.
    pub fn restore(&self) -> Result<()> {
        let mut arguments = vec!["up", "--detach", "--no-build"];
        arguments.extend(WAIT);
        arguments.extend([
            "--scale=order=1",
            "--scale=inventory=1",
            "--scale=notification=1",
            "--scale=console=1",
        ]);
        let output = self.command(&arguments)?.output()?;
        ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    /// All containers of a service by their number, the stopped ones as well.
    pub async fn containers(&self, service: &str) -> Result<BTreeMap<u32, Container>> {
        let lines = self
            .run(&["ps", "--all", "--format", "json", service])
            .await?;
        let containers = lines.lines().map(|line| {
            let container: Container = serde_json::from_str(line)?;
            let number = container
                .name
                .rsplit('-')
                .next()
                .context("a name without a number")?;
            Ok((number.parse()?, container))
        });
        containers.collect()
    }

    /// What one container of a service answers at `/metrics`, which nobody else can reach.
    pub async fn metrics(&self, service: &str, number: u32) -> Result<Metrics> {
        self.get_inside(service, number, "/metrics")
            .await
            .map(Metrics)
    }

    /// What the first container of a service says about its health, which nobody else can reach either.
    pub async fn health(&self, service: &str) -> Result<Health> {
        let answer = self.get_inside(service, 1, "/health/ready").await?;
        let (_, body) = answer.split_once("\r\n\r\n").context("no body")?;
        Ok(serde_json::from_str(body)?)
    }

    /// An answer with its headers.
    async fn get_inside(&self, service: &str, number: u32, path: &str) -> Result<String> {
        let script = format!(
            "exec 3<>/dev/tcp/127.0.0.1/8080; printf 'GET {path} HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
        );
        let index = format!("--index={number}");
        self.run(&["exec", "-T", &index, service, "bash", "-c", &script])
            .await
    }

    fn command(&self, arguments: &[&str]) -> Result<std::process::Command> {
        let (program, first) = self
            .command
            .split_first()
            .context("SPILLWAY_COMPOSE is empty")?;
        let mut command = std::process::Command::new(program);
        command.args(first).args(arguments.iter().map(OsStr::new));
        Ok(command)
    }
}

/// What a process says about its health.
#[derive(Debug, Clone, Deserialize)]
pub struct Health {
    /// Whether it is ready for work.
    pub ready: bool,
    checks: Vec<Check>,
}

#[derive(Debug, Clone, Deserialize)]
struct Check {
    name: String,
    error: Option<String>,
}

impl Health {
    /// What a check complains of, if it does.
    #[must_use]
    pub fn error(&self, check: &str) -> Option<&str> {
        let check = self.checks.iter().find(|found| found.name == check)?;
        check.error.as_deref()
    }
}

/// Metrics in Prometheus' text format.
#[derive(Debug, Clone)]
pub struct Metrics(String);

impl Metrics {
    /// The sum over all series of this name whose labels contain the text.
    #[must_use]
    pub fn sum(&self, name: &str, label: &str) -> f64 {
        let series = self.0.lines().filter_map(|line| {
            let labels = line.strip_prefix(name)?;
            let (labels, value) = labels.rsplit_once(' ')?;
            ((labels.is_empty() || labels.starts_with('{')) && labels.contains(label))
                .then_some(value)
        });
        series.filter_map(|value| value.parse::<f64>().ok()).sum()
    }

    /// Whether there is a series of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let mut series = self.0.lines().filter_map(|line| line.strip_prefix(name));
        series.any(|rest| rest.starts_with([' ', '{']))
    }
}
