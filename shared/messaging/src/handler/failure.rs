use std::fmt;

/// Why a message could not be handled.
#[derive(Debug)]
pub enum Failure {
    /// It may work later: the message is tried again after a pause, a limited number of times.
    Retry(anyhow::Error),
    /// It can never work: the message becomes a dead letter with this reason.
    Reject(String),
    /// Something that every message needs is away, for example the mail server. The consumer
    /// holds its messages and tries again until it is back; this does not count as an attempt.
    Unavailable(anyhow::Error),
}

impl Failure {
    /// It may work later.
    pub fn retry(error: impl Into<anyhow::Error>) -> Self {
        Self::Retry(error.into())
    }

    /// It can never work.
    pub fn reject(reason: impl Into<String>) -> Self {
        Self::Reject(reason.into())
    }

    /// Something that every message needs is away.
    pub fn unavailable(error: impl Into<anyhow::Error>) -> Self {
        Self::Unavailable(error.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retry(error) | Self::Unavailable(error) => write!(f, "{error:#}"),
            Self::Reject(reason) => f.write_str(reason),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Retry(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Retry(error.into())
    }
}
