//! Every variable that a process is given is one that it reads, and none is missing.

use std::collections::BTreeMap;

use super::{Object, Overlay, Source};

/// Read by libraries, whose source is elsewhere: the OpenTelemetry SDK, and everything that speaks TLS.
const OF_LIBRARIES: [&str; 3] = [
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "SSL_CERT_FILE",
];

pub(super) fn breaches(source: &Source, overlay: &Overlay) -> Vec<String> {
    let mut found = Vec::new();
    let deployments = overlay.of_kind("Deployment");
    for deployment in deployments.filter(|object| object.is_ours()) {
        let field = "/spec/template/spec/containers/0";
        let Some(settings) = source.settings.get(deployment.name()) else {
            found.push(deployment.wrong("/metadata/name", "there is no such service"));
            continue;
        };
        let (variables, unresolved) = environment(overlay, deployment, field);
        found.extend(unresolved);
        for name in variables.keys() {
            let is_known = settings.iter().any(|setting| setting.name == *name);
            if !is_known && !OF_LIBRARIES.contains(&name.as_str()) {
                let what = format!("{name} is set, and the service does not read it");
                found.push(deployment.wrong(field, what));
            }
        }
        for setting in settings.iter().filter(|setting| setting.is_required) {
            let value = variables.get(&setting.name);
            if value.is_none_or(|value| value.is_empty()) {
                let what = format!("{} is not set, and has no default", setting.name);
                found.push(deployment.wrong(field, what));
            }
        }
    }
    found
}

/// The variables of a container, and what is said of ConfigMaps and Secrets that are not there.
pub(super) fn environment(
    overlay: &Overlay,
    object: &Object,
    container: &str,
) -> (BTreeMap<String, String>, Vec<String>) {
    let (mut variables, mut unresolved) = (BTreeMap::new(), Vec::new());
    for field in object.entries(&format!("{container}/envFrom")) {
        let map = object.text(&format!("{field}/configMapRef/name"));
        let secret = object.text(&format!("{field}/secretRef/name"));
        if let Some(values) = overlay.config_maps.get(map) {
            variables.extend(values.clone());
        } else if let Some(values) = values_of(overlay, secret) {
            variables.extend(values);
        } else {
            unresolved.push(object.wrong(&field, format!("there is no {map}{secret}")));
        }
    }
    for field in object.entries(&format!("{container}/env")) {
        let name = object.text(&format!("{field}/name")).to_owned();
        match object.at(&format!("{field}/value")).as_str() {
            Some(value) => drop(variables.insert(name, value.to_owned())),
            None => unresolved.push(object.wrong(&field, format!("{name} has no text as value"))),
        }
    }
    (variables, unresolved)
}

/// What a Secret holds.
pub(super) fn values_of(overlay: &Overlay, secret: &str) -> Option<BTreeMap<String, String>> {
    let secret = overlay.find("Secret", secret)?;
    let values = secret.at("/stringData").as_object()?;
    let values = values
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()));
    Some(values.collect())
}
