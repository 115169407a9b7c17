//! The code of the shared crates and the services.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

/// Every file with its text, by its path from the root of the workspace. Without what stands in `tests` and
/// `examples`.
pub(crate) fn read_code(workspace: &Path) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for group in ["shared", "services"] {
        for member in fs::read_dir(workspace.join(group))? {
            read_folder(&member?.path().join("src"), workspace, &mut files)?;
        }
    }
    ensure!(files.len() > 50, "only {} files were found", files.len());
    Ok(files)
}

fn read_folder(folder: &Path, workspace: &Path, files: &mut Vec<(String, String)>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read_folder(&path, workspace, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let shown = path.strip_prefix(workspace).unwrap_or(&path);
            files.push((shown.display().to_string(), fs::read_to_string(&path)?));
        }
    }
    Ok(())
}
