//! Nothing that can block runs on the worker of a service.

use std::path::Path;

use anyhow::Result;
use pages::blocking::{blocked, find};

#[test]
fn no_service_blocks_its_worker() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    assert_eq!(blocked(&root)?, [""; 0]);
    Ok(())
}

#[test]
fn a_call_that_blocks_is_found_unless_it_is_handed_over_or_a_test() {
    let found = |text: &str| find(&[("services/any/src/lib.rs".to_owned(), text.to_owned())]).len();
    assert_eq!(found("let text = std::fs::read_to_string(path)?;"), 1);
    assert_eq!(found("    consumer.fetch_metadata(None, TIMEOUT)?;"), 1);
    assert_eq!(found("// std::fs::read_to_string would block."), 0);
    assert_eq!(
        found("let text = tokio::task::spawn_blocking(|| fs::read(path)).await?;"),
        0
    );
    assert_eq!(
        found("fn is() {}\n\n#[cfg(test)]\nmod tests {\n    std::thread::sleep(PAUSE);\n}"),
        0
    );
}
