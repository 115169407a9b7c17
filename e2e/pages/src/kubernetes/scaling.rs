//! What scales by what: triggers that KEDA has, with parameters that they have, about what the service reads.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::variables::{environment, values_of};
use super::{Object, Overlay, Source};

/// A kind of trigger, in KEDA's own words.
#[derive(Debug, Deserialize)]
pub(super) struct Scaler {
    #[serde(rename = "type")]
    kind: String,
    parameters: Vec<Parameter>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameter {
    name: String,
    #[serde(default)]
    optional: bool,
    default: Option<String>,
    #[serde(default)]
    allowed_value: Vec<String>,
    #[serde(default)]
    metadata_variable_readable: bool,
    #[serde(default)]
    env_variable_readable: bool,
    #[serde(default)]
    trigger_authentication_variable_readable: bool,
}

impl Parameter {
    /// Whether a trigger gives it under this key.
    fn is_given_by(&self, key: &str) -> bool {
        let from_environment = key.strip_suffix("FromEnv") == Some(self.name.as_str());
        (self.metadata_variable_readable && key == self.name)
            || (self.env_variable_readable && from_environment)
    }
}

pub(super) fn breaches(source: &Source, overlay: &Overlay) -> Vec<String> {
    let mut found = Vec::new();
    for object in overlay.of_kind("ScaledObject") {
        let target = object.text("/spec/scaleTargetRef/name");
        if overlay.find("Deployment", target).is_none() {
            let what = format!("there is no Deployment {target:?}");
            found.push(object.wrong("/spec/scaleTargetRef/name", what));
        }
        if object
            .at("/spec/minReplicaCount")
            .as_u64()
            .unwrap_or_default()
            == 0
        {
            let what = "a service at zero publishes nothing and answers nobody";
            found.push(object.wrong("/spec/minReplicaCount", what));
        }
        for field in object.entries("/spec/triggers") {
            let kind = object.text(&format!("{field}/type"));
            let Some(scaler) = source.scalers.iter().find(|scaler| scaler.kind == kind) else {
                let known: Vec<_> = source.scalers.iter().map(|one| one.kind.as_str()).collect();
                let what = format!("{kind:?} is none of {}", known.join(", "));
                found.push(object.wrong(&format!("{field}/type"), what));
                continue;
            };
            parameters(scaler, overlay, object, &field, &mut found);
            subject(source, object, &field, &mut found);
        }
    }
    found
}

/// What is given is known and allowed, and what is needed is given.
fn parameters(
    scaler: &Scaler,
    overlay: &Overlay,
    object: &Object,
    field: &str,
    found: &mut Vec<String>,
) {
    let kind = &scaler.kind;
    let field = format!("{field}/metadata");
    let metadata = object.at(&field).as_object().cloned().unwrap_or_default();
    for (key, value) in &metadata {
        let mut parameters = scaler.parameters.iter();
        let place = format!("{field}/{key}");
        let Some(parameter) = parameters.find(|one| one.is_given_by(key)) else {
            found.push(object.wrong(&place, format!("{kind} has no such parameter")));
            continue;
        };
        let allowed = &parameter.allowed_value;
        let value = value.as_str().unwrap_or_default();
        if !allowed.is_empty() && !allowed.iter().any(|one| one == value) {
            found.push(object.wrong(&place, format!("is none of {}", allowed.join(", "))));
        }
        if key.ends_with("FromEnv") {
            from_environment(overlay, object, &place, found);
        }
    }
    let secrets = authentication(scaler, overlay, object, &field, found);
    for parameter in &scaler.parameters {
        let is_needed = !parameter.optional && parameter.default.is_none();
        let is_given = metadata.keys().any(|key| parameter.is_given_by(key))
            || secrets.contains(&parameter.name);
        if is_needed && !is_given {
            let place = format!("{field}/{}", parameter.name);
            found.push(object.wrong(&place, format!("{kind} needs it")));
        }
    }
}

/// The variables that a trigger reads are those of the process.
fn from_environment(overlay: &Overlay, object: &Object, field: &str, found: &mut Vec<String>) {
    let target = object.text("/spec/scaleTargetRef/name");
    let Some(target) = overlay.find("Deployment", target) else {
        return;
    };
    let (variables, _) = environment(overlay, target, "/spec/template/spec/containers/0");
    let variable = object.text(field);
    if !variables.contains_key(variable) {
        let what = format!("the process has no variable {variable:?}");
        found.push(object.wrong(field, what));
    }
}

/// The parameters that come from a Secret.
fn authentication(
    scaler: &Scaler,
    overlay: &Overlay,
    object: &Object,
    metadata: &str,
    found: &mut Vec<String>,
) -> BTreeSet<String> {
    let field = metadata.replace("/metadata", "/authenticationRef/name");
    let name = object.text(&field);
    let mut parameters = BTreeSet::new();
    let Some(authentication) = overlay.find("TriggerAuthentication", name) else {
        let what = format!("there is no TriggerAuthentication {name:?}");
        found.push(object.wrong(&field, what));
        return parameters;
    };
    for field in authentication.entries("/spec/secretTargetRef") {
        let part = |part: &str| authentication.text(&format!("{field}/{part}"));
        let (parameter, secret, key) = (part("parameter"), part("name"), part("key"));
        let is_there = values_of(overlay, secret).is_some_and(|values| values.contains_key(key));
        if !is_there {
            let what = format!("the Secret {secret:?} has no {key:?}");
            found.push(authentication.wrong(&field, what));
        }
        let is_known =
            |one: &Parameter| one.name == parameter && one.trigger_authentication_variable_readable;
        if !scaler.parameters.iter().any(is_known) {
            let what = format!("{} takes no {parameter} from a Secret", scaler.kind);
            found.push(authentication.wrong(&field, what));
        }
        parameters.insert(parameter.to_owned());
    }
    parameters
}

/// The queue or topic is one that the service reads, and what is counted can be counted.
fn subject(source: &Source, object: &Object, field: &str, found: &mut Vec<String>) {
    let service = object.text("/spec/scaleTargetRef/name");
    let part = |part: &str| object.text(&format!("{field}/metadata/{part}"));
    let mut expect = |key: &str, is_so: bool, what: String| {
        if !is_so {
            found.push(object.wrong(&format!("{field}/metadata/{key}"), what));
        }
    };
    let is_read = |name: &str| {
        let reads = source.reads.get(service);
        reads.is_some_and(|reads| reads.contains(name))
    };
    let is_number = |text: &str| text.parse::<u64>().is_ok_and(|number| number > 0);
    if object.text(&format!("{field}/type")) == "rabbitmq" {
        let queue = part("queueName");
        expect(
            "queueName",
            is_read(queue),
            format!("{service} reads no queue {queue:?}"),
        );
        let is_http = part("protocol") == "http";
        expect(
            "protocol",
            is_http,
            "only http counts what is in hand".to_owned(),
        );
        let is_length = part("mode") == "QueueLength" && is_number(part("value"));
        expect(
            "value",
            is_length,
            "has to be a length of the queue".to_owned(),
        );
        return;
    }
    let topic = part("topic");
    expect(
        "topic",
        is_read(topic),
        format!("{service} reads no topic {topic:?}"),
    );
    let group = format!("{service}.{topic}");
    let is_group = part("consumerGroup") == group;
    expect("consumerGroup", is_group, format!("has to be {group}"));
    let is_lag = is_number(part("lagThreshold"));
    expect("lagThreshold", is_lag, "has to be a number".to_owned());
    let is_version = !part("version").is_empty();
    expect(
        "version",
        is_version,
        "the default is too old for Kafka 4".to_owned(),
    );
    let most = object.at("/spec/maxReplicaCount").as_u64();
    if most.is_none_or(|most| most > source.partitions) {
        let what = format!("a topic has {} partitions", source.partitions);
        found.push(object.wrong("/spec/maxReplicaCount", what));
    }
}
