use std::time::Duration;

/// Limits a call of the database. The server ends statements by itself; this is for a server that
/// is stopped or cut off, where the client library would wait for ever.
pub(crate) async fn within_limit<T>(
    call: impl Future<Output = sqlx::Result<T>>,
) -> sqlx::Result<T> {
    const LIMIT: Duration = Duration::from_secs(5);
    match tokio::time::timeout(LIMIT, call).await {
        Ok(result) => result,
        Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
    }
}
