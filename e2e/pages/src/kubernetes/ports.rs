//! Services lead to ports of containers, and those are where the processes listen.

use std::collections::BTreeSet;

use super::variables::environment;
use super::{Object, Overlay, Source};

const CONTAINER: &str = "/spec/template/spec/containers/0";
const NAME: &str = "app.kubernetes.io~1name";

pub(super) fn breaches(source: &Source, overlay: &Overlay) -> Vec<String> {
    let mut found = Vec::new();
    for deployment in overlay
        .of_kind("Deployment")
        .filter(|object| object.is_ours())
    {
        let listening = listening(source, overlay, deployment);
        for field in deployment.entries(&format!("{CONTAINER}/ports")) {
            let field = format!("{field}/containerPort");
            let port = deployment.at(&field);
            if !listening.contains(&port.to_string()) {
                let what = format!("the process does not listen at {port}");
                found.push(deployment.wrong(&field, what));
            }
        }
    }
    for service in overlay.of_kind("Service") {
        let wanted = service.text(&format!("/spec/selector/{NAME}"));
        let field = format!("/spec/template/metadata/labels/{NAME}");
        let mut behind = overlay.objects.iter();
        let Some(behind) = behind.find(|object| object.text(&field) == wanted) else {
            found.push(service.wrong("/spec/selector", format!("nothing is called {wanted:?}")));
            continue;
        };
        let ports = behind.list(&format!("{CONTAINER}/ports"));
        for field in service.entries("/spec/ports") {
            let field = format!("{field}/targetPort");
            let target = service.at(&field);
            if !ports.iter().any(|port| port["name"] == *target) {
                found.push(service.wrong(&field, format!("{wanted} has no port {target}")));
            }
        }
    }
    found
}

/// The ports at which a process listens: those of the variables that end in `_ADDR`.
fn listening(source: &Source, overlay: &Overlay, deployment: &Object) -> BTreeSet<String> {
    let (variables, _) = environment(overlay, deployment, CONTAINER);
    let settings = source.settings.get(deployment.name());
    let settings = settings.into_iter().flatten();
    let addresses = settings.filter(|setting| setting.name.ends_with("_ADDR"));
    let values = addresses.filter_map(|setting| {
        let value = variables.get(&setting.name).or(setting.default.as_ref())?;
        value.rsplit(':').next().map(str::to_owned)
    });
    values.collect()
}
