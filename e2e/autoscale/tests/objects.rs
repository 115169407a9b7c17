//! What a ScaledObject says, and what is not obeyed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use autoscale::{Limits, Policy, ScaledObject, Select, Step, Subject};

const OURS: &str = "deploy/kubernetes/base";

#[test]
fn the_files_that_kubernetes_gets_are_obeyed_as_they_are() -> Result<()> {
    let objects = ScaledObject::read_all(&root().join(OURS))?;
    let services: Vec<_> = objects.iter().map(|one| one.service.as_str()).collect();
    assert_eq!(services, ["inventory", "notification"]);
    let [inventory, notification] = &objects[..] else {
        anyhow::bail!("{objects:?}");
    };
    assert_eq!(inventory.limits, Limits { least: 1, most: 4 });
    assert_eq!(inventory.polling, Duration::from_secs(5));
    assert_eq!(inventory.behavior.up.window, Duration::ZERO);
    assert_eq!(inventory.behavior.down.window, Duration::from_secs(120));
    let one_in_half_a_minute = Policy {
        step: Step::Pods,
        value: 1,
        period: Duration::from_secs(30),
    };
    assert_eq!(inventory.behavior.down.policies, [one_in_half_a_minute]);
    assert_eq!(inventory.behavior.down.select, Select::Max);
    let queue = Subject::Queue {
        vhost: "spillway".to_owned(),
        name: "inventory.stock-commands".to_owned(),
    };
    assert_eq!(inventory.triggers[0].subject, queue);
    assert_eq!(inventory.triggers[0].target, 1_000);
    let lag = &notification.triggers[0].subject;
    let is_lag = matches!(lag, Subject::Lag { group, topic }
        if group == "notification.order-events" && topic.name == "order-events");
    ensure!(
        is_lag && notification.triggers.len() == 4,
        "{notification:?}"
    );
    Ok(())
}

#[test]
fn what_the_file_leaves_out_is_as_kubernetes_and_keda_have_it() -> Result<()> {
    let file = File::new("defaults", &least())?;
    let objects = ScaledObject::read_files(&[file.path()])?;
    let object = objects.first().context("no object")?;
    assert_eq!(object.polling, Duration::from_secs(30));
    assert_eq!(
        object.limits,
        Limits {
            least: 1,
            most: 100
        }
    );
    assert_eq!(object.behavior.down.window, Duration::from_secs(300));
    assert_eq!(object.behavior.up.policies.len(), 2);
    assert_eq!(object.triggers[0].name, "inventory.stock-commands");
    Ok(())
}

#[test]
fn what_is_not_obeyed_is_one_line_that_names_file_and_field() -> Result<()> {
    for (number, (from, to, said)) in [
        (
            "type: rabbitmq",
            "type: cpu",
            "spec.triggers[0].type: \"cpu\" is none of rabbitmq, kafka",
        ),
        (
            "minReplicaCount: 1",
            "minReplicaCount: 101",
            "spec.minReplicaCount: 101 is more than maxReplicaCount",
        ),
        (
            "minReplicaCount: 1",
            "minReplicaCount: 0",
            "spec.minReplicaCount: a service at zero",
        ),
        (
            "minReplicaCount: 1",
            "minReplicaCount: one",
            "spec.minReplicaCount: invalid type",
        ),
        (
            "minReplicaCount: 1",
            "minReplicas: 1",
            "spec: unknown field `minReplicas`",
        ),
        (
            "minReplicaCount: 1",
            "pollingInterval: 0\n  minReplicaCount: 1",
            "spec.pollingInterval: has to be",
        ),
        (
            "scaleTargetRef: {name: inventory}",
            "scaleTargetRef: {}",
            "spec.scaleTargetRef: missing field `name`",
        ),
        (
            "        queueName: inventory.stock-commands\n",
            "",
            "spec.triggers[0].metadata.queueName: is missing",
        ),
        (
            "        value: \"1000\"\n",
            "",
            "spec.triggers[0].metadata.value: is missing",
        ),
        (
            "value: \"1000\"",
            "value: \"0\"",
            "spec.triggers[0].metadata.value: \"0\" is no number above 0",
        ),
        (
            "value: \"1000\"",
            "value: \"many\"",
            "spec.triggers[0].metadata.value: \"many\" is no number above 0",
        ),
        (
            "protocol: http",
            "protocol: amqp",
            "spec.triggers[0].metadata.protocol: \"amqp\" is unknown here",
        ),
        (
            "protocol: http",
            "protocol: http\n        activationValue: \"5\"",
            "spec.triggers[0].metadata.activationValue: is not obeyed",
        ),
        (
            "kind: ScaledObject",
            "kind: ScaledJob",
            "kind: \"ScaledJob\" is no ScaledObject",
        ),
        (
            "keda.sh/v1alpha1",
            "keda.sh/v2",
            "apiVersion: \"keda.sh/v2\" is unknown",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let text = least();
        ensure!(text.contains(from), "{from} is not in it");
        let file = File::new(&format!("wrong-{number}"), &text.replace(from, to))?;
        let error = ScaledObject::read_files(&[file.path()]).err();
        let error = format!("{:#}", error.with_context(|| format!("{to} is obeyed"))?);
        let starts = format!("{}: {said}", file.path().display());
        ensure!(
            error.starts_with(&starts),
            "{error} does not begin with {starts}"
        );
        ensure!(!error.contains('\n'), "{error}");
    }
    Ok(())
}

#[test]
fn what_no_trigger_of_kafka_may_say_is_found() -> Result<()> {
    let ours = root().join(OURS).join("notification/scaledobject.yaml");
    let ours = fs::read_to_string(ours)?;
    for (number, (from, to, said)) in [
        (
            "topic: order-events",
            "topic: no-such-topic",
            "topic: there is no topic \"no-such-topic\"",
        ),
        (
            "offsetResetPolicy: earliest",
            "offsetResetPolicy: latest",
            "offsetResetPolicy: \"latest\" is unknown here",
        ),
        (
            "        consumerGroup: notification.order-events\n",
            "",
            "consumerGroup: is missing",
        ),
        (
            "lagThreshold: \"1000\"",
            "lagThreshold: \"-1\"",
            "lagThreshold: \"-1\" is no number above 0",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        ensure!(ours.contains(from), "{from} is not in it");
        let file = File::new(&format!("lag-{number}"), &ours.replace(from, to))?;
        let error = ScaledObject::read_files(&[file.path()]).err();
        let error = format!("{:#}", error.with_context(|| format!("{to} is obeyed"))?);
        let said = format!(
            "{}: spec.triggers[0].metadata.{said}",
            file.path().display()
        );
        ensure!(
            error.starts_with(&said),
            "{error} does not begin with {said}"
        );
    }
    Ok(())
}

#[test]
fn two_objects_for_one_service_and_none_at_all_are_found() -> Result<()> {
    let (one, other) = (File::new("one", &least())?, File::new("other", &least())?);
    let error = ScaledObject::read_files(&[one.path(), other.path()]).err();
    let error = format!("{:#}", error.context("both are obeyed")?);
    ensure!(error.contains("inventory is scaled by"), "{error}");
    let empty = File::new("empty", "# Nothing.\n")?;
    ensure!(ScaledObject::read_files(&[empty.path()]).is_err());
    let away = root().join("no-such-folder");
    ensure!(ScaledObject::read_all(&away).is_err());
    ensure!(ScaledObject::read_files(&[away]).is_err());
    Ok(())
}

#[test]
fn the_program_says_so_before_it_looks_for_a_system() -> Result<()> {
    let text = least().replace("type: rabbitmq", "type: cpu");
    let file = File::new("program", &text)?;
    let mut program = Command::new(env!("CARGO_BIN_EXE_autoscale"));
    let output = program.arg(file.path()).env_clear().output()?;
    let error = String::from_utf8(output.stderr)?;
    let starts = format!(
        "autoscale: {}: spec.triggers[0].type: ",
        file.path().display()
    );
    ensure!(
        !output.status.success() && error.starts_with(&starts),
        "{error}"
    );
    assert_eq!((error.lines().count(), output.stdout.len()), (1, 0));
    Ok(())
}

/// As little as one may write.
fn least() -> String {
    "apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: inventory}
spec:
  scaleTargetRef: {name: inventory}
  minReplicaCount: 1
  triggers:
    - type: rabbitmq
      metadata:
        protocol: http
        vhostName: spillway
        queueName: inventory.stock-commands
        mode: QueueLength
        value: \"1000\"
"
    .to_owned()
}

/// A file that is gone in the end.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Result<Self> {
        let name = format!("spillway-{}-{name}.yaml", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, text)?;
        Ok(Self(path))
    }

    fn path(&self) -> PathBuf {
        self.0.clone()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
