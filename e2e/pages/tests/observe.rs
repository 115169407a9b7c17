//! The dashboards and the alerts, as far as they can be judged without a Prometheus. `it/observe.rs` asks one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use pages::alerts::read_alerts;
use pages::claims::Page;
use pages::dashboards::read_dashboards;

#[test]
fn every_dashboard_is_found_and_knows_whom_to_ask() -> Result<()> {
    let sources = "deploy/observe/grafana/provisioning/datasources/spillway.yml";
    let sources = fs::read_to_string(root().join(sources))?;
    let dashboards = read_dashboards(&root())?;
    let uids: BTreeSet<_> = dashboards.iter().map(|one| one.uid.as_str()).collect();
    assert_eq!(
        uids,
        BTreeSet::from(["spillway-orders", "spillway-services"])
    );
    for dashboard in &dashboards {
        for panel in &dashboard.panels {
            let place = format!("{} / {}", dashboard.title, panel.title);
            ensure!(panel.description.ends_with('.'), "{place} says nothing");
            for target in &panel.targets {
                let source = format!("uid: {},", target.datasource.uid);
                ensure!(sources.contains(&source), "{place} asks nobody");
            }
        }
    }
    Ok(())
}

#[test]
fn every_alert_says_how_bad_it_is_and_what_to_do_and_is_tested() -> Result<()> {
    let tests = fs::read_to_string(root().join("deploy/observe/tests.yml"))?;
    let alerts = read_alerts(&root())?;
    ensure!(alerts.len() >= 6, "{alerts:?}");
    for alert in &alerts {
        let name = &alert.name;
        let severity = alert.labels.severity.as_str();
        ensure!(
            ["critical", "warning"].contains(&severity),
            "{name}: {severity}"
        );
        let said = &alert.annotations;
        ensure!(said.summary.ends_with('.'), "{name}: {}", said.summary);
        let (page, heading) = said.runbook.split_once('#').context("no heading")?;
        ensure!(heading == name.to_lowercase(), "{name}: {heading}");
        let headings = Page::read(&root().join(page))?.anchors();
        ensure!(
            headings.iter().any(|one| one == heading),
            "{name}: {page} has no {heading}"
        );
        let (fires, silent) = (
            format!("alertname: {name}\n"),
            format!("alertname: {name}}}"),
        );
        ensure!(tests.contains(&fires), "{name} never fires in a test");
        ensure!(tests.contains(&silent), "{name} is never silent in a test");
    }
    Ok(())
}

#[test]
fn every_service_is_asked_and_missed() -> Result<()> {
    let settings = fs::read_to_string(root().join("deploy/observe/prometheus.yml"))?;
    let names = settings
        .lines()
        .find_map(|line| line.split_once("names: ["));
    let (_, names) = names.context("no names")?;
    let (names, _) = names.split_once(']').context("no end of names")?;
    let names: Vec<_> = names.split(", ").collect();
    let alerts = read_alerts(&root())?;
    let down = alerts.iter().find(|alert| alert.name == "TargetDown");
    let down = down.context("no TargetDown")?;
    for service in fs::read_dir(root().join("services"))? {
        let service = service?.file_name();
        let service = service.to_str().context("a strange name")?;
        ensure!(names.contains(&service), "{service} is not asked");
    }
    for name in names {
        let missed = format!(r#"absent(up{{job="{name}"}})"#);
        ensure!(down.expr.contains(&missed), "{name} is not missed");
    }
    Ok(())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
