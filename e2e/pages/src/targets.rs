//! Every file of tests is compiled: a package that names its targets can forget one, and then nobody misses it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace::packages;

/// The tests of the workspace, as they are on disk and as cargo knows them.
#[derive(Debug, Default)]
pub struct Tests {
    /// Every file in a folder `tests` of a package, and every `main.rs` one folder below.
    pub files: Vec<PathBuf>,
    /// What is compiled.
    pub targets: BTreeSet<PathBuf>,
}

/// Every file that nobody compiles, as a sentence for people.
#[must_use]
pub fn forgotten(tests: &Tests) -> Vec<String> {
    let files = tests.files.iter();
    let forgotten = files.filter(|file| !tests.targets.contains(*file));
    forgotten
        .map(|file| format!("{} is no target of its package", file.display()))
        .collect()
}

/// Reads the tests of all crates of the workspace at this path.
///
/// # Errors
///
/// When `cargo metadata` fails or a folder cannot be read.
pub fn read_tests(workspace: &Path) -> Result<Tests> {
    let mut tests = Tests::default();
    for package in packages(workspace)? {
        let root = package.manifest_path.parent().context("no folder")?;
        // The tests of some are a package of their own, in that very folder.
        let is_tests = root.ends_with("tests");
        let folder = if is_tests {
            root.to_owned()
        } else {
            root.join("tests")
        };
        if folder.is_dir() {
            read_folder(&folder, &mut tests.files)?;
        }
        let targets = package.targets.into_iter();
        tests.targets.extend(targets.map(|target| target.src_path));
    }
    Ok(tests)
}

fn read_folder(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let main = path.join("main.rs");
        if main.is_file() {
            files.push(main);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}
