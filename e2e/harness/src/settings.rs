use anyhow::{Context, Result};

/// The value of an environment variable that `./dev` sets for tests and benchmarks.
///
/// # Errors
///
/// When it is not set; the error says how to get it set.
pub fn setting(name: &str) -> Result<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).with_context(|| {
        format!(
            "{name} is not set. These tests need a running system: run `./dev test`, or `./dev test up` \
             and then, for single tests, `eval \"$(./dev test env)\"`"
        )
    })
}
