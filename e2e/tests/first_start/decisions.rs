//! Where images come from, and what is said when there are none.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Result, ensure};

use crate::fake::{Machine, Outcome};

const OFFICIAL: [&str; 5] = [
    "rabbitmq:4",
    "kafka:4",
    "postgres:18",
    "haproxy:3.2",
    "mail:3",
];
const DECIDE: &str = "if images_come_from_registry; then echo official; else echo stand-in; fi";

#[test]
fn official_images_that_are_here_need_no_network() -> Result<()> {
    let machine = Machine::with("images-here", &OFFICIAL)?;
    let outcome = machine.run(DECIDE)?;
    decided(&outcome, "official")?;
    ensure!(!outcome.asked.contains("pull"), "{}", outcome.asked);
    Ok(())
}

#[test]
fn stand_ins_that_are_here_need_no_network() -> Result<()> {
    let names =
        r#"for name in base "${STAND_INS[@]}"; do stand_in "$name"; echo; done >"$FAKE/local""#;
    let outcome = Machine::with("stand-ins-here", &[])?.run(&format!("{names}\n{DECIDE}"))?;
    decided(&outcome, "stand-in")?;
    ensure!(!outcome.asked.contains("pull"), "{}", outcome.asked);
    Ok(())
}

#[test]
fn a_registry_that_is_slow_is_waited_for() -> Result<()> {
    let mut machine = Machine::with("slow-registry", &[])?;
    machine.pull = "sleep 2";
    decided(&machine.run(DECIDE)?, "official")
}

#[test]
fn a_registry_that_is_silent_is_not_waited_for_for_ever() -> Result<()> {
    let mut machine = Machine::with("silent-registry", &[])?;
    machine.pull = "trap '' TERM; sleep 3; sleep 600 & wait";
    let outcome = machine.run(&format!("REGISTRY_PATIENCE=1\n{DECIDE}"))?;
    decided(&outcome, "stand-in")?;
    ensure!(
        outcome.said.contains("haproxy:3.2: no answer within 1 s"),
        "{}",
        outcome.said
    );
    Ok(())
}

#[test]
fn a_registry_that_refuses_is_quoted() -> Result<()> {
    let mut machine = Machine::with("limited-registry", &[])?;
    machine.pull = "echo 'toomanyrequests: you have reached your pull rate limit' >&2; exit 1";
    let outcome = machine.run(DECIDE)?;
    decided(&outcome, "stand-in")?;
    ensure!(outcome.said.contains("pull rate limit"), "{}", outcome.said);
    Ok(())
}

#[test]
fn without_images_and_without_apt_one_line_says_both() -> Result<()> {
    let mut machine = Machine::with("no-apt", &[])?;
    machine.pull = "echo 'no such host' >&2; exit 1";
    let no_apt = r#"rm -rf "$FAKE/bin"; mkdir "$FAKE/bin"; ln -s /usr/bin/* "$FAKE/bin"
                    rm -f "$FAKE"/bin/{apt-get,debootstrap,mvn}; PATH=$FAKE:$FAKE/bin"#;
    let outcome = machine.run(&format!("{no_apt}\n{DECIDE}\nrequire_stand_ins"))?;
    let wrong = outcome
        .said
        .lines()
        .find(|line| line.starts_with("dev: "))
        .unwrap_or_default();
    ensure!(!outcome.ok, "it went on");
    for part in ["haproxy:3.2: no such host", "Debian and Ubuntu"] {
        ensure!(wrong.contains(part), "{part} is missing: {}", outcome.said);
    }
    Ok(())
}

#[test]
fn an_engine_or_a_compose_that_is_too_old_is_named() -> Result<()> {
    let mut machine = Machine::with("old", &[])?;
    ensure!(machine.run("ensure_engine")?.ok);
    machine.compose = "v2.23.3";
    let compose = machine.run("ensure_engine")?;
    ensure!(
        !compose.ok && compose.said.contains("Compose 2.23.3 is older than"),
        "{}",
        compose.said
    );
    machine.engine = "24.0.7";
    let engine = machine.run("ensure_engine")?;
    ensure!(
        !engine.ok && engine.said.contains("older than version 25"),
        "{}",
        engine.said
    );
    Ok(())
}

#[test]
fn settings_of_a_checkout_under_a_strict_umask_can_be_read_by_containers() -> Result<()> {
    let machine = Machine::with("umask", &[])?;
    let outcome = machine.run(
        r#"copy=$FAKE/checkout; rm -rf "$copy"; mkdir "$copy"; cp -r "$ROOT/deploy" "$copy/"
           chmod -R go-rwx "$copy/deploy"; ROOT=$copy; make_settings_readable"#,
    )?;
    ensure!(outcome.ok, "{}", outcome.said);
    let settings = Path::new(env!("CARGO_TARGET_TMPDIR")).join("umask/checkout/deploy");
    for file in [
        "gateway/haproxy.cfg",
        "gateway/pages/index.html",
        "kafka/server.properties",
        "rabbitmq/start",
    ] {
        let mode = fs::metadata(settings.join(file))?.permissions().mode();
        ensure!(mode & 0o004 != 0, "{file}: {mode:o}");
    }
    Ok(())
}

fn decided(outcome: &Outcome, whence: &str) -> Result<()> {
    let last = outcome.said.lines().last().unwrap_or_default();
    ensure!(outcome.ok && last == whence, "{}", outcome.said);
    Ok(())
}
