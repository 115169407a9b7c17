//! What watches the system, where there is an image registry and where there is none.

use std::net::TcpListener;

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};

use crate::containers::Project;
use crate::fake::{Machine, root};

/// The functions of `./dev` that observing needs, in a shell that knows nothing of the tests' own stack.
const FUNCTIONS: &str = r#"
for part in stack projects cluster observe; do . "$ROOT/deploy/dev/$part.sh"; done
unset COMPOSE_PROJECT_NAME COMPOSE_FILE PROMETHEUS_IMAGE
PORTS=() OVERRIDE=$FAKE/override.yml
"#;

#[test]
fn without_a_registry_prometheus_is_a_stand_in_and_the_pages_are_left_out() -> Result<()> {
    let outcome = Machine::with("observe-stand-in", &[])?.run(&format!(
        r#"{FUNCTIONS}
           echo '  rabbitmq: {{image: "spillway/rabbitmq:0"}}' >"$OVERRIDE"
           observe; leave_pages_out; echo "$PROMETHEUS_IMAGE $COMPOSE_FILE""#
    ))?;
    let said: Vec<_> = outcome.said.lines().collect();
    let [pages, decided] = said[..] else {
        bail!("{}", outcome.said);
    };
    ensure!(pages.contains("Grafana and Jaeger") && pages.contains("need an image registry"));
    ensure!(decided.starts_with("spillway/prometheus:"), "{decided}");
    ensure!(
        decided.ends_with("/deploy/compose.observe.yml"),
        "{decided}"
    );
    Ok(())
}

#[test]
fn with_a_registry_all_images_are_official() -> Result<()> {
    let outcome = Machine::with("observe-official", &[])?.run(&format!(
        r#"{FUNCTIONS}
           write_empty_override
           observe; add_pages; echo "${{PROMETHEUS_IMAGE:-official}} $COMPOSE_FILE""#
    ))?;
    let decided = outcome.said.trim_end();
    let files = "/deploy/compose.observe.yml:";
    ensure!(
        decided.starts_with("official ") && decided.contains(files),
        "{decided}"
    );
    ensure!(decided.ends_with("/deploy/compose.pages.yml"), "{decided}");
    Ok(())
}

#[test]
fn a_taken_port_is_named_with_the_variable_that_moves_it() -> Result<()> {
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let port = taken.local_addr()?.port();
    let outcome = Machine::with("observe-port", &[])?.run(&format!(
        "{FUNCTIONS}\nexport PROMETHEUS_PORT={port}; observe; check_ports"
    ))?;
    ensure!(!outcome.ok, "it went on");
    let what = format!("port {port} is taken");
    for part in [what.as_str(), "PROMETHEUS_PORT=", "./dev up --observe"] {
        ensure!(
            outcome.said.contains(part),
            "{part} is missing: {}",
            outcome.said
        );
    }
    Ok(())
}

#[test]
fn spans_pass_through_jaeger_and_nothing_is_reached_from_outside() -> Result<()> {
    let project = Project::new("observe", "services: {}")?;
    let config = |files: &[&str]| -> Result<Value> {
        let deploy = root()?.join("deploy");
        let files = files
            .iter()
            .map(|file| deploy.join(file).display().to_string());
        let files: Vec<_> = files.collect();
        let mut arguments: Vec<_> = files
            .iter()
            .flat_map(|file| ["--file", file.as_str()])
            .collect();
        arguments.extend(["config", "--format", "json"]);
        Ok(serde_json::from_str(&project.compose(&arguments)?)?)
    };
    let aliases = |config: &Value, service: &str| {
        config["services"][service]["networks"]["default"]["aliases"].clone()
    };
    let telemetry = json!(["telemetry"]);

    let usual = config(&[])?;
    ensure!(aliases(&usual, "console") == telemetry, "{usual}");
    for service in ["prometheus", "grafana", "jaeger"] {
        ensure!(
            usual["services"][service].is_null(),
            "{service} is in the default stack"
        );
    }
    let observed = config(&["compose.observe.yml", "compose.pages.yml"])?;
    ensure!(aliases(&observed, "console").is_null(), "{observed}");
    ensure!(aliases(&observed, "jaeger") == telemetry, "{observed}");
    for service in ["prometheus", "grafana", "jaeger"] {
        let ports = observed["services"][service]["ports"].as_array();
        let ports = ports.map_or(&[][..], Vec::as_slice);
        let is_ours = |port: &Value| port["host_ip"] == "127.0.0.1";
        ensure!(
            ports.len() == 1 && ports.iter().all(is_ours),
            "{service}: {ports:?}"
        );
    }
    Ok(())
}
