//! A shell with the functions of `./dev` in which `docker` only pretends.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// What every `docker` of these tests knows. The rest comes before it.
const DOCKER: &str = r#"
echo "$*" >>"$FAKE/asked"
case "$*" in
  'image inspect'*) shift 2; for image; do grep -qxF "$image" "$FAKE/local" || exit 1; done ;;
  *'config --images gateway') echo haproxy:3.2 ;;
  *'config --images'*) printf '%s\n' rabbitmq:4 kafka:4 postgres:18 haproxy:3.2 mail:3 ;;
  pull*) eval "$FAKE_PULL" ;;
  ps*) ;;
  info | 'compose version' | 'buildx version') ;;
  'version --format'*) echo "$FAKE_ENGINE" ;;
  'compose version --short') echo "$FAKE_COMPOSE" ;;
  *) echo "nobody expects: docker $*" >&2; exit 1 ;;
esac
"#;

/// The workspace.
pub(crate) fn root() -> Result<&'static Path> {
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    folders.nth(2).context("no workspace")
}

/// A machine on which `docker` does as it is told.
pub(crate) struct Machine {
    folder: PathBuf,
    /// What `docker pull` does, in shell.
    pub(crate) pull: &'static str,
    /// The version of the engine.
    pub(crate) engine: &'static str,
    /// The version of Compose.
    pub(crate) compose: &'static str,
}

/// What a script has printed, and whether it succeeded.
pub(crate) struct Outcome {
    pub(crate) ok: bool,
    pub(crate) said: String,
    /// Every question to `docker`, one a line.
    pub(crate) asked: String,
}

impl Machine {
    /// With these images, and a registry that gives none. The name is that of the test.
    pub(crate) fn with(name: &str, images: &[&str]) -> Result<Self> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder)?;
        let docker = folder.join("docker");
        fs::write(&docker, format!("#!/bin/bash{DOCKER}"))?;
        fs::set_permissions(&docker, fs::Permissions::from_mode(0o755))?;
        fs::write(folder.join("local"), images.join("\n"))?;
        fs::write(folder.join("asked"), "")?;
        Ok(Self {
            folder,
            pull: "exit 1",
            engine: "26.1.5",
            compose: "2.26.1",
        })
    }

    /// Runs a script that may use the functions of `./dev`.
    pub(crate) fn run(&self, script: &str) -> Result<Outcome> {
        let functions = "for part in steps engine images; do . \"$ROOT/deploy/dev/$part.sh\"; done";
        let path = std::env::var("PATH")?;
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &format!("{functions}\n{script}")])
            .env("ROOT", root()?)
            .env("FAKE", &self.folder)
            .env("FAKE_PULL", self.pull)
            .env("FAKE_ENGINE", self.engine)
            .env("FAKE_COMPOSE", self.compose)
            .env("PATH", format!("{}:{path}", self.folder.display()))
            .env_remove("SPILLWAY_IMAGES")
            .output()?;
        let said = [output.stdout, output.stderr].concat();
        Ok(Outcome {
            ok: output.status.success(),
            said: String::from_utf8(said)?,
            asked: fs::read_to_string(self.folder.join("asked"))?,
        })
    }
}
