//! What is said to Kubernetes and to KEDA fits the services.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use pages::kubernetes::{OVERLAYS, Overlay, Source, breaches, files_that_nobody_names, settings};
use serde_json::{Value, json};

const CONTAINER: &str = "/spec/template/spec/containers/0";

#[test]
fn both_overlays_fit_the_services_and_the_schemas() -> Result<()> {
    let source = Source::read(&root())?;
    for name in OVERLAYS {
        let overlay = Overlay::read(&root(), name)?;
        assert_eq!(breaches(&source, &overlay), [""; 0], "{name}");
        let scaled = |name: &str| {
            let mut objects = overlay.objects.iter();
            objects.any(|object| object.kind() == "ScaledObject" && object.name() == name)
        };
        ensure!(scaled("inventory") && scaled("notification"), "{name}");
    }
    Ok(())
}

#[test]
fn every_file_belongs_to_an_overlay() -> Result<()> {
    assert_eq!(files_that_nobody_names(&root())?, [""; 0]);
    Ok(())
}

#[test]
fn the_variables_of_a_service_are_those_of_its_source() -> Result<()> {
    let of_order = settings(&root(), "order")?;
    let find = |name: &str| of_order.iter().find(|setting| setting.name == name);
    let database = find("DATABASE_URL").context("no DATABASE_URL")?;
    ensure!(database.is_required && database.default.is_none());
    let timeout = find("SHUTDOWN_TIMEOUT").context("no SHUTDOWN_TIMEOUT")?;
    assert_eq!(timeout.default.as_deref(), Some("8s"));
    // An option, a list and a default that is no text.
    for name in ["KAFKA_USERNAME", "ALLOWED_HOSTS", "DATABASE_POOL_SIZE"] {
        let is_required = find(name).map(|setting| setting.is_required);
        assert_eq!(is_required, Some(false), "{name}");
    }
    ensure!(find("SMTP_URL").is_none());
    let of_notification = settings(&root(), "notification")?;
    let mail = of_notification.iter().find(|one| one.name == "SMTP_URL");
    ensure!(mail.is_some_and(|mail| mail.is_required));
    Ok(())
}

#[test]
fn a_pod_that_is_run_carelessly_is_found() -> Result<()> {
    for (field, value) in [
        (
            "/spec/template/spec/automountServiceAccountToken",
            json!(true),
        ),
        ("/spec/template/spec/enableServiceLinks", Value::Null),
        (
            "/spec/template/spec/securityContext/runAsNonRoot",
            json!(false),
        ),
        ("/spec/template/spec/securityContext/runAsUser", json!(0)),
        (
            "/spec/template/spec/terminationGracePeriodSeconds",
            json!(11),
        ),
        ("/spec/strategy/rollingUpdate/maxUnavailable", json!(1)),
    ] {
        is_found("Deployment", "order", field, value)?;
    }
    for (field, value) in [
        ("image", json!("spillway/order")),
        ("image", json!("spillway/order:latest")),
        ("image", json!("spillway/inventory:0.1.0")),
        ("resources/limits/memory", Value::Null),
        ("securityContext/readOnlyRootFilesystem", json!(false)),
        ("securityContext/capabilities/drop", json!([])),
        ("livenessProbe/httpGet/path", json!("/healthz")),
        ("readinessProbe/httpGet/port", json!("https")),
        ("ports/0/containerPort", json!(8000)),
    ] {
        is_found(
            "Deployment",
            "order",
            &format!("{CONTAINER}/{field}"),
            value,
        )?;
    }
    is_found(
        "Service",
        "order",
        "/spec/ports/0/targetPort",
        json!("grpc"),
    )
}

#[test]
fn a_longer_time_to_stop_needs_a_longer_grace() -> Result<()> {
    let mut overlay = Overlay::read(&root(), "laptop")?;
    let settings = overlay.config_maps.get_mut("settings");
    let settings = settings.context("no settings")?;
    settings.insert("SHUTDOWN_TIMEOUT".to_owned(), "17s".to_owned());
    let found = breaches(&Source::read(&root())?, &overlay);
    let is_found = |name: &str| {
        let deployment = format!("Deployment {name}: ");
        let mut found = found.iter();
        found.any(|one| one.contains(&deployment) && one.contains("SHUTDOWN_TIMEOUT=17s"))
    };
    for name in ["order", "inventory", "notification", "console"] {
        ensure!(is_found(name), "{name}: {found:?}");
    }
    Ok(())
}

#[test]
fn a_variable_that_is_unknown_or_missing_is_found() -> Result<()> {
    let source = Source::read(&root())?;
    let said = |overlay: &Overlay, what: &str| {
        let found = breaches(&source, overlay);
        found.iter().any(|found| found.ends_with(what))
    };
    let mut overlay = Overlay::read(&root(), "brokers-by-url")?;
    let settings = overlay.config_maps.get_mut("settings");
    let settings = settings.context("no settings")?;
    settings.insert("KAFKA_BROKER".to_owned(), "kafka:9092".to_owned());
    settings.remove("KAFKA_BROKERS");
    ensure!(said(
        &overlay,
        "KAFKA_BROKER is set, and the service does not read it"
    ));
    ensure!(said(
        &overlay,
        "KAFKA_BROKERS is not set, and has no default"
    ));
    ensure!(said(
        &overlay,
        r#"the process has no variable "KAFKA_BROKERS""#
    ));

    let mut overlay = Overlay::read(&root(), "laptop")?;
    change(
        &mut overlay,
        "Secret",
        "order",
        "/stringData/DATABASE_URL",
        Value::Null,
    )?;
    ensure!(said(
        &overlay,
        "DATABASE_URL is not set, and has no default"
    ));
    Ok(())
}

#[test]
fn a_scaled_object_that_keda_would_refuse_is_found_by_file_and_field() -> Result<()> {
    for (field, value) in [
        ("triggers/0/type", json!("rabitmq")),
        (
            "triggers/0/metadata/queueNames",
            json!("inventory.stock-commands"),
        ),
        ("triggers/0/metadata/queueName", Value::Null),
        (
            "triggers/0/metadata/queueName",
            json!("order.payment-deadlines"),
        ),
        ("triggers/0/metadata/protocol", json!("amqp")),
        ("triggers/0/metadata/value", json!("many")),
        ("triggers/0/metadata/value", json!(1000)),
        ("triggers/0/authenticationRef/name", json!("nobody")),
        ("scaleTargetRef/name", json!("inventories")),
        ("minReplicaCount", json!(0)),
        ("maxReplicaCount", json!("4")),
    ] {
        is_found(
            "ScaledObject",
            "inventory",
            &format!("/spec/{field}"),
            value,
        )?;
    }
    for (field, value) in [
        ("consumerGroup", json!("notification")),
        ("topic", json!("stock-events")),
        ("sasl", json!("plain")),
        ("offsetResetPolicy", json!("first")),
        ("version", Value::Null),
        ("bootstrapServersFromEnv", json!("KAFKA")),
        ("lagThreshold", json!("0")),
    ] {
        let field = format!("/spec/triggers/0/metadata/{field}");
        is_found("ScaledObject", "notification", &field, value)?;
    }
    is_found(
        "ScaledObject",
        "notification",
        "/spec/maxReplicaCount",
        json!(9),
    )
}

#[test]
fn a_path_that_the_gateway_of_compose_does_not_have_is_found() -> Result<()> {
    let paths = "/spec/rules/0/matches/0/path";
    is_found(
        "HTTPRoute",
        "order",
        &format!("{paths}/value"),
        json!("/metrics"),
    )?;
    is_found(
        "HTTPRoute",
        "order",
        &format!("{paths}/type"),
        json!("Exact"),
    )?;
    let backend = "/spec/rules/0/backendRefs/0";
    is_found(
        "HTTPRoute",
        "order",
        &format!("{backend}/name"),
        json!("inventory"),
    )?;
    is_found("HTTPRoute", "order", &format!("{backend}/port"), json!(80))?;
    is_found(
        "HTTPRoute",
        "order",
        "/spec/parentRefs/0/name",
        json!("other"),
    )
}

/// That something is said about the file and the field once a field has this value; without it, if it is null.
fn is_found(kind: &str, name: &str, field: &str, value: Value) -> Result<()> {
    let mut overlay = Overlay::read(&root(), "laptop")?;
    let shown = format!("{kind} {name}: {field} = {value}");
    let file = change(&mut overlay, kind, name, field, value)?;
    let found = breaches(&Source::read(&root())?, &overlay);
    // The place itself, or the one in which it is: a list of rules, say, or the name in a reference.
    let parts: Vec<_> = field.split('/').collect();
    let places = (3..=parts.len()).map(|length| format!(": {}: ", parts[..length].join("/")));
    let places: Vec<_> = places.collect();
    let is_about = |one: &&String| places.iter().any(|place| one.contains(place));
    let start = format!("{file}: {kind} {name}: ");
    let mut about = found.iter().filter(is_about);
    let is_said = about.any(|one| one.starts_with(&start));
    ensure!(is_said, "{shown} in {file}: {found:?}");
    Ok(())
}

/// Puts a value in the place of one, and returns the file where that stood.
fn change(
    overlay: &mut Overlay,
    kind: &str,
    name: &str,
    field: &str,
    value: Value,
) -> Result<String> {
    let mut objects = overlay.objects.iter_mut();
    let object = objects.find(|object| object.kind() == kind && object.name() == name);
    let object = object.with_context(|| format!("no {kind} {name}"))?;
    let (parent, last) = field.rsplit_once('/').context("not a place")?;
    let parent = object.value.pointer_mut(parent);
    let parent = parent.with_context(|| format!("no {field}"))?;
    if value.is_null() {
        let parent = parent.as_object_mut().context("not a place with names")?;
        parent.remove(last);
    } else {
        parent[last] = value;
    }
    Ok(object.file.clone())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
