use std::fmt::Display;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::{Instant, sleep};

/// How long something that needs all services may take on a busy machine.
pub const SOON: Duration = Duration::from_secs(20);

/// How often is looked again.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks again and again until `look` finds something, and returns that.
///
/// An error of `look` counts as nothing found, because services may be about to start.
///
/// # Errors
///
/// When the time limit has passed; names `what` was awaited and the last error, if there was one.
pub async fn eventually<T>(
    what: impl Display,
    limit: Duration,
    mut look: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        let found = look().await;
        if let Ok(Some(found)) = found {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            let waited = || format!("waited {limit:?} in vain: {what}");
            return match found {
                Err(error) => Err(error).with_context(waited),
                Ok(_) => Err(anyhow::anyhow!(waited())),
            };
        }
        sleep(PAUSE).await;
    }
}
