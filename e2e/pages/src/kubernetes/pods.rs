//! How the processes are run.

use serde_json::{Value, json};

use super::variables::environment;
use super::{Object, Overlay, Source};

const POD: &str = "/spec/template/spec";
const PROBES: [&str; 3] = ["startupProbe", "readinessProbe", "livenessProbe"];

pub(super) fn breaches(source: &Source, overlay: &Overlay) -> Vec<String> {
    let mut found = Vec::new();
    for service in &source.services {
        for kind in ["Deployment", "Service", "PodDisruptionBudget", "HTTPRoute"] {
            if overlay.find(kind, service).is_none() {
                found.push(format!("the service {service} has no {kind}"));
            }
        }
    }
    let deployments = overlay.of_kind("Deployment");
    for deployment in deployments.filter(|object| object.is_ours()) {
        expect(deployment, &rules(source), &mut found);
        let containers = deployment.entries(&format!("{POD}/containers"));
        if containers.len() != 1 {
            found.push(deployment.wrong(&format!("{POD}/containers"), "is not one"));
        }
        for container in containers {
            expect(deployment, &rules_of(&container), &mut found);
            image(deployment, &container, &mut found);
            probes(source, deployment, &container, &mut found);
            stopping(source, overlay, deployment, &container, &mut found);
        }
    }
    found
}

/// What every pod says.
fn rules(source: &Source) -> Vec<(String, Value)> {
    let rules = [
        ("automountServiceAccountToken", json!(false)),
        ("enableServiceLinks", json!(false)),
        ("securityContext/runAsNonRoot", json!(true)),
        ("securityContext/runAsUser", json!(source.user)),
        (
            "securityContext/seccompProfile/type",
            json!("RuntimeDefault"),
        ),
        (
            "topologySpreadConstraints/0/topologyKey",
            json!("kubernetes.io/hostname"),
        ),
    ];
    let rules = rules.map(|(field, value)| (format!("{POD}/{field}"), value));
    let rolling = "/spec/strategy/rollingUpdate/maxUnavailable".to_owned();
    rules.into_iter().chain([(rolling, json!(0))]).collect()
}

/// What every container says.
fn rules_of(container: &str) -> Vec<(String, Value)> {
    let rules = [
        ("allowPrivilegeEscalation", json!(false)),
        ("readOnlyRootFilesystem", json!(true)),
        ("capabilities/drop", json!(["ALL"])),
    ];
    let rules = rules.map(|(field, value)| (format!("{container}/securityContext/{field}"), value));
    rules.into()
}

fn expect(object: &Object, rules: &[(String, Value)], found: &mut Vec<String>) {
    for (field, value) in rules {
        if object.at(field) != value {
            found.push(object.wrong(field, format!("has to be {value}")));
        }
    }
}

/// An image with a version, and bounds for what the process takes.
fn image(deployment: &Object, container: &str, found: &mut Vec<String>) {
    let field = format!("{container}/image");
    let image = deployment.text(&field).rsplit('/').next().unwrap_or("");
    let is_versioned = image
        .split_once(':')
        .is_some_and(|(name, tag)| name == deployment.name() && !["", "latest"].contains(&tag));
    if !is_versioned {
        let name = deployment.name();
        found.push(deployment.wrong(&field, format!("is not an image of {name} with a version")));
    }
    for bound in ["requests/cpu", "requests/memory", "limits/memory"] {
        let field = format!("{container}/resources/{bound}");
        if deployment.text(&field).is_empty() {
            found.push(deployment.wrong(&field, "is missing"));
        }
    }
}

fn probes(source: &Source, deployment: &Object, container: &str, found: &mut Vec<String>) {
    for probe in PROBES {
        let field = format!("{container}/{probe}/httpGet/path");
        let path = deployment.text(&field);
        if !source.health.contains(path) {
            found.push(deployment.wrong(&field, format!("{path:?} is no route of a process")));
        }
        let field = format!("{container}/{probe}/httpGet/port");
        let ports = deployment.list(&format!("{container}/ports"));
        if !ports
            .iter()
            .any(|port| &port["name"] == deployment.at(&field))
        {
            found.push(deployment.wrong(&field, "is no port of the container"));
        }
    }
}

/// The process gets its time to stop, after the pause before it is told.
fn stopping(
    source: &Source,
    overlay: &Overlay,
    deployment: &Object,
    container: &str,
    found: &mut Vec<String>,
) {
    let (variables, _) = environment(overlay, deployment, container);
    let settings = source.settings.get(deployment.name());
    let default = settings.into_iter().flatten();
    let default = default
        .filter(|setting| setting.name == "SHUTDOWN_TIMEOUT")
        .find_map(|setting| setting.default.clone());
    let timeout = variables.get("SHUTDOWN_TIMEOUT").cloned().or(default);
    let seconds = timeout.as_deref().and_then(|text| text.strip_suffix('s'));
    let seconds: Option<u64> = seconds.and_then(|seconds| seconds.parse().ok());
    let pause = deployment.at(&format!("{container}/lifecycle/preStop/sleep/seconds"));
    let pause = pause.as_u64().unwrap_or_default();
    let field = format!("{POD}/terminationGracePeriodSeconds");
    let grace = deployment.at(&field).as_u64().unwrap_or(30);
    if seconds.is_none_or(|seconds| grace <= pause + seconds) {
        let timeout = timeout.unwrap_or_default();
        let what = format!("{grace} s is no more than {pause} s and SHUTDOWN_TIMEOUT={timeout}");
        found.push(deployment.wrong(&field, what));
    }
}
