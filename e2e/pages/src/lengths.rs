//! Files are short: what is too long for one reading has a second idea in it.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

/// No file is longer, in lines.
const LONGEST: usize = 250;
/// Half of the files are not longer, in lines.
const MEDIAN: usize = 100;

/// A file of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it is, from the root of the workspace.
    pub path: String,
    /// How many lines it has.
    pub lines: usize,
}

/// What is too long, as a sentence for people.
#[must_use]
pub fn too_long(files: &[File]) -> Vec<String> {
    let long = files.iter().filter(|file| file.lines > LONGEST);
    let mut found: Vec<_> = long
        .map(|File { path, lines }| format!("{path} has {lines} lines, more than {LONGEST}"))
        .collect();
    let mut lines: Vec<_> = files.iter().map(|file| file.lines).collect();
    lines.sort_unstable();
    if let Some(&median) = lines.get(lines.len() / 2).filter(|&&lines| lines > MEDIAN) {
        found.push(format!(
            "half of the files have {median} lines or more, more than {MEDIAN}"
        ));
    }
    found
}

/// All code of the shared crates and the services of the workspace at this path, without tests.
///
/// # Errors
///
/// When a file cannot be read, or none is found.
pub fn read_files(workspace: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    for group in ["shared", "services"] {
        for member in fs::read_dir(workspace.join(group))? {
            read_folder(&member?.path().join("src"), workspace, &mut files)?;
        }
    }
    ensure!(files.len() > 50, "only {} files were found", files.len());
    Ok(files)
}

fn read_folder(folder: &Path, workspace: &Path, files: &mut Vec<File>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read_folder(&path, workspace, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let shown = path.strip_prefix(workspace).unwrap_or(&path);
            files.push(File {
                path: shown.display().to_string(),
                lines: fs::read_to_string(&path)?.lines().count(),
            });
        }
    }
    Ok(())
}
