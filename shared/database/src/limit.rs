use std::{io, time::Duration};

/// Longer than the server gives a statement, so that its own, more telling limits come first.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

/// Limits one call of the database to 5 s.
///
/// The server ends slow statements by itself. This is for a server that is stopped or cut off, where
/// the client library would wait for ever.
///
/// # Errors
///
/// Those of the call, and [`sqlx::Error::Io`] of kind [`TimedOut`](io::ErrorKind::TimedOut) when the
/// time is over: [an outage](crate::is_outage), after which it is unknown whether the call took effect.
pub async fn within_limit<T>(call: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    within(LIMIT, call).await
}

async fn within<T>(
    limit: Duration,
    call: impl Future<Output = sqlx::Result<T>>,
) -> sqlx::Result<T> {
    match tokio::time::timeout(limit, call).await {
        Ok(result) => result,
        Err(_) => Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into())),
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;
    use crate::is_outage;

    #[tokio::test]
    async fn a_server_that_never_answers_is_an_outage() {
        let result = within(Duration::from_millis(10), pending::<sqlx::Result<()>>()).await;
        assert!(result.is_err_and(|error| is_outage(&error)));
    }

    #[tokio::test]
    async fn an_answer_in_time_is_passed_on() {
        assert_eq!(within_limit(ready(Ok(7))).await.ok(), Some(7));
        let error = within_limit(ready(Err::<(), _>(sqlx::Error::RowNotFound))).await;
        assert!(matches!(error, Err(sqlx::Error::RowNotFound)));
    }
}
