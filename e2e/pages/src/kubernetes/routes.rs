//! A Gateway hands the same paths to each service as the gateway of Compose.

use std::collections::{BTreeMap, BTreeSet};

use super::{Object, Overlay, Source};

/// For each service, how a path is compared, and with what.
pub(super) type Paths = BTreeMap<String, BTreeSet<(String, String)>>;

pub(super) fn breaches(source: &Source, overlay: &Overlay) -> Vec<String> {
    let mut found = Vec::new();
    for route in overlay.of_kind("HTTPRoute") {
        let name = route.name();
        let expected = source.paths.get(name).cloned().unwrap_or_default();
        let given = paths(route);
        for (kind, path) in expected.difference(&given) {
            found.push(route.wrong("/spec/rules", format!("{kind} {path} is missing")));
        }
        for (kind, path) in given.difference(&expected) {
            let what = format!("{kind} {path} is not a path of {name} in deploy/gateway");
            found.push(route.wrong("/spec/rules", what));
        }
        let rules = route.entries("/spec/rules");
        for field in rules
            .iter()
            .flat_map(|rule| route.entries(&format!("{rule}/backendRefs")))
        {
            if !leads_to(overlay, route, &field) {
                found.push(route.wrong(&field, format!("is no port of the Service {name}")));
            }
        }
        let gateway = route.text("/spec/parentRefs/0/name");
        if overlay.find("Gateway", gateway).is_none() {
            let what = format!("there is no Gateway {gateway:?}");
            found.push(route.wrong("/spec/parentRefs/0/name", what));
        }
    }
    found
}

/// Whether it names the Service that is called like the route, and a port of it.
fn leads_to(overlay: &Overlay, route: &Object, field: &str) -> bool {
    let name = route.text(&format!("{field}/name"));
    let port = route.at(&format!("{field}/port"));
    let service = overlay.find("Service", name);
    let mut ports = service
        .into_iter()
        .flat_map(|service| service.list("/spec/ports"));
    name == route.name() && ports.any(|one| one["port"] == *port)
}

fn paths(route: &Object) -> BTreeSet<(String, String)> {
    let rules = route.entries("/spec/rules");
    let matches = rules
        .iter()
        .flat_map(|rule| route.entries(&format!("{rule}/matches")));
    let paths = matches.map(|field| {
        let part = |part: &str| route.text(&format!("{field}/path/{part}")).to_owned();
        (part("type"), part("value"))
    });
    paths.collect()
}

/// The paths that a configuration of HAProxy hands to services, in the words of a Gateway.
pub(super) fn of_gateway(haproxy: &str) -> Paths {
    let mut paths = Paths::new();
    for line in haproxy.lines() {
        let Some((_, rest)) = line.split_once("set-var(txn.service) str(") else {
            continue;
        };
        let Some((service, conditions)) = rest.split_once(')') else {
            continue;
        };
        let (mut exact, mut beginnings) = (BTreeSet::new(), BTreeSet::new());
        for condition in conditions.split('{').skip(1) {
            let condition = condition.split('}').next().unwrap_or_default();
            let mut words = condition.split_whitespace();
            match words.next() {
                Some("path") => exact.extend(words.map(str::to_owned)),
                Some("path_beg") => {
                    beginnings.extend(words.map(|path| path.trim_end_matches('/').to_owned()));
                }
                _ => {}
            }
        }
        let docs = format!("/{service}/docs");
        let of_service = paths.entry(service.to_owned()).or_default();
        let exact = exact.difference(&beginnings).cloned();
        let exact = exact.chain([docs.clone(), format!("/{service}/openapi.json")]);
        of_service.extend(exact.map(|path| ("Exact".to_owned(), path)));
        let beginnings = beginnings.iter().cloned().chain([docs]);
        of_service.extend(beginnings.map(|path| ("PathPrefix".to_owned(), path)));
    }
    paths
}
