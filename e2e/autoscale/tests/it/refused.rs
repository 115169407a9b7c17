//! What a ScaledObject may say in a cluster and is not obeyed here.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use autoscale::ScaledObject;

use crate::support::{File, OURS, least, root};

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
