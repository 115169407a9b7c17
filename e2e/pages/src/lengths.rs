//! Files are short: what is too long for one reading has a second idea in it.

use std::path::Path;

use anyhow::Result;

use crate::files::read_code;

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
    let files = read_code(workspace)?.into_iter();
    let measured = files.map(|(path, text)| File {
        path,
        lines: text.lines().count(),
    });
    Ok(measured.collect())
}
