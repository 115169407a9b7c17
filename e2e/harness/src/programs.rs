use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

/// A program of the workspace by its place in the target folder, such as `tour` or `examples/delay`.
///
/// `cargo test --workspace` and `./dev test` have built it by then. A cargo within a test would see other
/// variables and compile everything anew.
///
/// # Errors
///
/// When it is not built; the error says how to build it.
pub fn program(place: &str) -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let target = test.ancestors().nth(2).context("not in a target folder")?;
    let program = target.join(place);
    ensure!(
        program.exists(),
        "{place} is not built: run `cargo build --release --workspace --bins --examples`"
    );
    Ok(program)
}
