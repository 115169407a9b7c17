//! Volumes and settings of real containers, in Compose projects that exist only here.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::eventually;

use crate::fake::root;

/// What a database takes to start on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
/// A health check that soon knows.
const QUICK: &str = "healthcheck: {start_period: 1s, interval: 1s}";

#[test]
fn no_container_leaves_an_anonymous_volume_behind() -> Result<()> {
    let project = Project::new("volumes", "services: {}")?;
    project.compose(&["create", "rabbitmq", "kafka", "postgres", "gateway", "mail"])?;
    let containers = project.compose(&["ps", "--all", "--quiet"])?;
    let mut volumes = Vec::new();
    for container in containers.lines() {
        let format = r#"{{range .Mounts}}{{if eq .Type "volume"}}{{println .Name}}{{end}}{{end}}"#;
        volumes.push(docker(&["inspect", "--format", format, container])?);
    }
    let volumes = volumes.concat();
    let mut names: Vec<_> = volumes.split_whitespace().collect();
    names.sort_unstable();
    let expected = ["kafka", "postgres", "rabbitmq"].map(|name| format!("{}_{name}", project.name));
    ensure!(names == expected, "{names:?}");
    Ok(())
}

#[test]
fn a_database_that_another_image_has_written_is_taken_over() -> Result<()> {
    let project = Project::new("foreign", "services: {}")?;
    project.compose(&["up", "--detach", "--wait", "postgres"])?;
    // The same in every image, also in one that has no other locale.
    let locale = "select datlocprovider, datlocale from pg_database where datname = 'order'";
    let locale = project.psql(locale)?;
    ensure!(locale.trim() == "b|C.UTF-8", "{locale}");

    project.compose(&["stop", "postgres"])?;
    let chown = "chown -R 54321:54321 /var/lib/postgresql";
    let entry = [
        "run",
        "--rm",
        "--no-deps",
        "--user",
        "root",
        "--entrypoint",
        "bash",
    ];
    project.compose(&[&entry[..], &["postgres", "-c", chown]].concat())?;
    project.compose(&["up", "--detach", "--wait", "postgres"])?;
    Ok(())
}

#[tokio::test]
async fn a_first_start_that_was_killed_is_unhealthy_and_says_the_way_out() -> Result<()> {
    let hang = "touch /tmp/hangs; sleep 600";
    let project = Project::new(
        "killed",
        &format!(
            "services: {{postgres: {{configs: [{{source: hang, target: /docker-entrypoint-initdb.d/00.sh}}]}}}}\n\
             configs: {{hang: {{content: {hang:?}}}}}"
        ),
    )?;
    project.compose(&["up", "--detach", "postgres"])?;
    let hangs = ["exec", "-T", "postgres", "test", "-e", "/tmp/hangs"];
    eventually("the first start hangs", LIMIT, async || {
        project.compose(&hangs).map(|_| Some(()))
    })
    .await?;
    project.compose(&["kill", "postgres"])?;

    project.lay_over(&format!("services: {{postgres: {{{QUICK}}}}}"))?;
    project.compose(&["up", "--detach", "postgres"])?;
    let health = eventually("it is looked at", LIMIT, async || {
        let health = project.compose(&["ps", "--format", "{{.Health}}", "postgres"])?;
        let health = health.trim().to_owned();
        Ok(health.ends_with("healthy").then_some(health))
    });
    ensure!(health.await? == "unhealthy", "it is taken for healthy");
    let log = project.compose(&["logs", "postgres"])?;
    ensure!(
        log.contains("the first start was interrupted") && log.contains("down --volumes"),
        "{log}"
    );
    Ok(())
}

#[test]
fn what_services_run_on_is_named_by_a_variable() -> Result<()> {
    let project = Project::new("base", "services: {}")?;
    let mut command = project.command(&["--profile", "*", "config"])?;
    let output = command
        .env("BASE_IMAGE", "mirror.example/debian")
        .output()?;
    let config = String::from_utf8(output.stdout)?;
    let argument = "        BASE_IMAGE: mirror.example/debian";
    let services = config.matches(argument).count();
    ensure!(services == 5, "{services} of 5 builds: {config}");
    Ok(())
}

/// A Compose project with the images that everything here runs with, removed at the end.
pub(crate) struct Project {
    name: String,
    overlay: PathBuf,
}

impl Project {
    pub(crate) fn new(name: &str, overlay: &str) -> Result<Self> {
        let project = Self {
            name: format!("spillway-first-start-{name}"),
            overlay: PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.yml")),
        };
        project.lay_over(overlay)?;
        // A run that was killed may have left it behind.
        project.remove()?;
        Ok(project)
    }

    fn lay_over(&self, overlay: &str) -> Result<()> {
        Ok(fs::write(&self.overlay, overlay)?)
    }

    pub(crate) fn compose(&self, arguments: &[&str]) -> Result<String> {
        output(&mut self.command(arguments)?)
    }

    fn psql(&self, query: &str) -> Result<String> {
        self.compose(&[
            "exec", "-T", "postgres", "psql", "-U", "postgres", "-qtAc", query,
        ])
    }

    fn command(&self, arguments: &[&str]) -> Result<Command> {
        let root = root()?;
        let mut command = Command::new("docker");
        command.args(["compose", "--project-name", &self.name]);
        let files =
            ["docker-compose.yml", "docker-compose.override.yml"].map(|file| root.join(file));
        for file in files
            .iter()
            .filter(|file| file.exists())
            .chain([&self.overlay])
        {
            command.arg("--file").arg(file);
        }
        command.args(arguments);
        Ok(command)
    }

    fn remove(&self) -> Result<()> {
        let remove = ["down", "--volumes", "--remove-orphans", "--timeout", "1"];
        self.compose(&remove).map(drop)
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            eprintln!("{} is left behind: {error:#}", self.name);
        }
    }
}

fn docker(arguments: &[&str]) -> Result<String> {
    output(Command::new("docker").args(arguments))
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {error}");
    String::from_utf8(output.stdout).context("no UTF-8")
}
