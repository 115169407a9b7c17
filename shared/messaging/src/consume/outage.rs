use crate::handler::Failure;

/// Whether the failure says nothing about the message. The database counts as well, which every
/// handler needs. Were these attempts, an outage would turn good messages into dead letters.
pub(super) fn is_outage(failure: &Failure) -> bool {
    match failure {
        Failure::Retry(error) => error
            .chain()
            .filter_map(|cause| cause.downcast_ref::<sqlx::Error>())
            .any(database::is_outage),
        Failure::Unavailable(_) => true,
        Failure::Reject(_) => false,
    }
}

/// Whether the failure of a batch of this size leaves open which of its messages are to blame, so
/// that it is worth trying them one by one: always, unless nothing can be handled at all. What
/// takes too long for all of them may be possible for each.
pub(super) fn may_succeed_one_by_one(failure: &Failure, batch: usize) -> bool {
    batch > 1 && (!is_outage(failure) || is_time_limit(failure))
}

/// Whether this is an outage only because something took longer than it may.
fn is_time_limit(failure: &Failure) -> bool {
    const QUERY_CANCELLED: &str = "57014";
    let (Failure::Retry(error) | Failure::Unavailable(error)) = failure else {
        return false;
    };
    let code = |cause: &(dyn std::error::Error + 'static)| {
        let error = cause.downcast_ref::<sqlx::Error>()?;
        error
            .as_database_error()?
            .code()
            .map(|code| code.into_owned())
    };
    error.chain().any(|cause| {
        cause.is::<tokio::time::error::Elapsed>()
            || code(cause).is_some_and(|code| code == QUERY_CANCELLED)
    })
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn a_database_that_is_away_is_an_outage_however_it_is_wrapped() {
        assert!(is_outage(&Failure::from(sqlx::Error::PoolTimedOut)));
        let wrapped = Err::<(), _>(sqlx::Error::WorkerCrashed).context("cannot store");
        let wrapped = wrapped.map_err(|error| Failure::from(error.context("again")));
        assert!(wrapped.is_err_and(|failure| is_outage(&failure)));
        assert!(is_outage(&Failure::unavailable(anyhow!("no mail server"))));
    }

    #[test]
    fn what_speaks_of_the_message_is_no_outage() {
        assert!(!is_outage(&Failure::from(sqlx::Error::RowNotFound)));
        assert!(!is_outage(&Failure::retry(anyhow!("too early"))));
        assert!(!is_outage(&Failure::reject("never")));
    }

    #[tokio::test]
    async fn a_batch_is_tried_one_by_one_unless_nothing_can_be_handled() {
        let late = tokio::time::timeout(std::time::Duration::ZERO, std::future::pending::<()>());
        let elapsed = late.await.err().map(Failure::unavailable);
        let failures = [
            (Failure::reject("never"), true),
            (Failure::retry(anyhow!("too early")), true),
            (Failure::from(sqlx::Error::PoolTimedOut), false),
            (Failure::unavailable(anyhow!("no mail server")), false),
        ];
        for (failure, expected) in failures.into_iter().chain(elapsed.map(|late| (late, true))) {
            assert_eq!(may_succeed_one_by_one(&failure, 2), expected, "{failure}");
            assert!(!may_succeed_one_by_one(&failure, 1), "{failure}");
        }
    }
}
