use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use tracing::warn;

/// Does it again, with growing pauses, for as long as it fails with an error that may pass.
pub(crate) async fn patiently<T, A: Future<Output = anyhow::Result<T>>>(
    database: &str,
    attempt: impl FnMut() -> A,
    may_pass: impl FnMut(&anyhow::Error) -> bool,
) -> anyhow::Result<T> {
    let pauses = ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(2))
        .with_jitter()
        .without_max_times();
    attempt
        .retry(pauses)
        .when(may_pass)
        .notify(|error, pause| {
            let error = format!("{error:#}");
            warn!(
                database,
                error, "waiting for the database, next try in {pause:?}"
            );
        })
        .await
}
