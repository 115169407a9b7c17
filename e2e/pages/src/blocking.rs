//! A service has one worker, so whatever blocks it stops all that the service does.
//!
//! Calls that may block stand in files that hand them to `spawn_blocking`. This cannot see whether they do it with
//! each; it sees a file that does it with none.

use std::path::Path;

use anyhow::Result;

use crate::files::read_code;

/// What may wait for the disk, a broker, a name server, or the clock.
const BLOCKING: [&str; 14] = [
    "fs::read",
    "fs::write",
    "File::open",
    "File::create",
    "OpenOptions::new",
    "thread::sleep",
    "to_socket_addrs",
    "block_on(",
    "blocking::Client",
    ".fetch_metadata(",
    ".fetch_watermarks(",
    ".fetch_group_list(",
    ".committed_offsets(",
    "CommitMode::Sync",
];

/// Where that is meant, and why.
const MEANT: [(&str, &str); 5] = [
    (
        "services/console/src/statistics/machine.rs",
        "what the kernel counts is in memory",
    ),
    (
        "shared/messaging/src/faults/crash_point.rs",
        "it is to end the process, or to stop it",
    ),
    (
        "shared/runtime/src/run.rs",
        "it is the thread of `main`, which waits for the workers",
    ),
    (
        "shared/runtime/src/secret_files.rs",
        "it reads the settings before anything else begins",
    ),
    (
        "shared/runtime/src/trust.rs",
        "it reads the settings before anything else begins",
    ),
];

/// Every file of this workspace that blocks a worker, as a sentence for people.
///
/// # Errors
///
/// When a file cannot be read, or none is found.
pub fn blocked(workspace: &Path) -> Result<Vec<String>> {
    Ok(find(&read_code(workspace)?))
}

/// The same for files with their texts.
#[must_use]
pub fn find(files: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in files {
        let is_meant = MEANT.iter().any(|(file, _)| file == path);
        if is_meant || path.ends_with("tests.rs") || text.contains("spawn_blocking(") {
            continue;
        }
        // Tests stand at the end of a file.
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or(text);
        let lines = code.lines().map(str::trim);
        for line in lines.filter(|line| !line.starts_with("//")) {
            for call in BLOCKING.iter().filter(|call| line.contains(**call)) {
                found.push(format!("{path} may block its worker by `{call}`: {line}"));
            }
        }
    }
    found
}
