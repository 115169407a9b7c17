//! Every file of tests is compiled.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use pages::targets::{Tests, forgotten, read_tests};

#[test]
fn every_file_of_tests_is_compiled() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tests = read_tests(&root)?;
    ensure!(tests.files.len() > 50, "only {:?}", tests.files);
    assert_eq!(forgotten(&tests), [""; 0]);
    Ok(())
}

#[test]
fn a_file_that_is_no_target_is_found() {
    let [listed, other] = ["any/tests/listed.rs", "any/tests/other.rs"].map(PathBuf::from);
    let tests = Tests {
        files: vec![listed.clone(), other],
        targets: [listed].into(),
    };
    assert_eq!(
        forgotten(&tests),
        ["any/tests/other.rs is no target of its package"]
    );
}
