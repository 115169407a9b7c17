/// SQLSTATE classes and codes that speak of the server or of contention and not of the statement
/// (PostgreSQL documentation, appendix A).
const OUTAGES: [&str; 6] = [
    CONNECTION,
    IDLE_IN_TRANSACTION_TIMEOUT,
    ROLLED_BACK,
    RESOURCES,
    LOCK_NOT_AVAILABLE,
    INTERVENTION,
];

const CONNECTION: &str = "08";
const IDLE_IN_TRANSACTION_TIMEOUT: &str = "25P03";
/// A deadlock or a serialization failure: the transaction lost against others.
const ROLLED_BACK: &str = "40";
const RESOURCES: &str = "53";
const LOCK_NOT_AVAILABLE: &str = "55P03";
/// A shutdown, a restart, or `statement_timeout`.
const INTERVENTION: &str = "57";

/// Whether the error says nothing about what was asked: the database is unreachable, overloaded or
/// restarting, or the transaction lost against others. The same work may succeed a little later.
///
/// This is the only list. HTTP answers such errors with 503, and a consumer holds its messages without
/// counting an attempt.
#[must_use]
pub fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| OUTAGES.iter().any(|class| code.starts_with(class))),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_away_is_an_outage() {
        for error in [
            sqlx::Error::PoolTimedOut,
            sqlx::Error::PoolClosed,
            sqlx::Error::WorkerCrashed,
            sqlx::Error::Io(std::io::ErrorKind::ConnectionRefused.into()),
        ] {
            assert!(is_outage(&error), "{error}");
        }
    }

    #[test]
    fn what_speaks_of_the_statement_is_no_outage() {
        for error in [
            sqlx::Error::RowNotFound,
            sqlx::Error::ColumnNotFound("sku".to_owned()),
            sqlx::Error::Decode("unknown status".into()),
        ] {
            assert!(!is_outage(&error), "{error}");
        }
    }
}
