mod tx;

pub use tx::Tx;

use std::fmt;
use std::future::Future;

use contracts::Inbound;
use jiff::Timestamp;
use uuid::Uuid;

use crate::Cause;

/// Handles messages one by one.
///
/// The effect of the handler, its inbox entry and what it publishes commit together or not at
/// all. It may be called again for a message whose transaction did not commit, so anything that
/// it does outside the transaction has to bear repetition.
pub trait Handler: Send + Sync + 'static {
    /// What the queue or topic carries.
    type Message: Inbound;

    /// Handles one message that has not been handled before.
    fn handle(
        &self,
        tx: &mut Tx,
        message: &Received<Self::Message>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Handles many messages in one transaction, for hot paths.
///
/// When it fails, the batch is rolled back and its messages are handled one by one, each in a
/// transaction of its own: a message that can never succeed does not fail its neighbours.
pub trait BatchHandler: Send + Sync + 'static {
    /// What the queue or topic carries.
    type Message: Inbound;

    /// Handles messages that have not been handled before, in the order in which they arrived.
    fn handle_batch(
        &self,
        tx: &mut Tx,
        batch: &[Received<Self::Message>],
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

impl<H: Handler> BatchHandler for H {
    type Message = H::Message;

    async fn handle_batch(
        &self,
        tx: &mut Tx,
        batch: &[Received<Self::Message>],
    ) -> Result<(), Failure> {
        for message in batch {
            self.handle(tx, message).await?;
        }
        Ok(())
    }
}

/// A message as a handler sees it: decoded and valid.
#[derive(Debug, Clone)]
pub struct Received<M> {
    /// The CloudEvents id, the same on every delivery of this message.
    pub id: Uuid,
    /// When it was written, by the clock of its producer.
    pub time: Timestamp,
    /// What to name as the cause of messages that follow from this one.
    pub cause: Cause,
    /// The message.
    pub body: M,
}

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

    /// Whether this says nothing about the message. The database counts as well, which every
    /// handler needs. Were these attempts, an outage would turn good messages into dead letters.
    pub(crate) fn is_outage(&self) -> bool {
        match self {
            Self::Retry(error) => error
                .chain()
                .filter_map(|cause| cause.downcast_ref::<sqlx::Error>())
                .any(is_outage),
            Self::Unavailable(_) => true,
            Self::Reject(_) => false,
        }
    }

    /// Whether this is an outage only because something took longer than it may.
    pub(crate) fn is_time_limit(&self) -> bool {
        const QUERY_CANCELLED: &str = "57014";
        let (Self::Retry(error) | Self::Unavailable(error)) = self else {
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

/// SQLSTATE classes that speak of the server or of contention and not of the statement
/// (PostgreSQL documentation, appendix A).
fn is_outage(error: &sqlx::Error) -> bool {
    const CONNECTION: &str = "08";
    const IDLE_IN_TRANSACTION_TIMEOUT: &str = "25P03";
    const ROLLED_BACK: &str = "40";
    const RESOURCES: &str = "53";
    const LOCK_NOT_AVAILABLE: &str = "55P03";
    const INTERVENTION: &str = "57";
    match error {
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            [
                CONNECTION,
                IDLE_IN_TRANSACTION_TIMEOUT,
                ROLLED_BACK,
                RESOURCES,
            ]
            .iter()
            .chain(&[LOCK_NOT_AVAILABLE, INTERVENTION])
            .any(|class| code.starts_with(class))
        }),
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
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn a_database_that_is_away_is_an_outage_however_it_is_wrapped() {
        assert!(Failure::from(sqlx::Error::PoolTimedOut).is_outage());
        let wrapped = Err::<(), _>(sqlx::Error::WorkerCrashed).context("cannot store");
        let wrapped = wrapped.map_err(|error| Failure::from(error.context("again")));
        assert!(wrapped.is_err_and(|failure| failure.is_outage()));
        assert!(Failure::unavailable(anyhow!("no mail server")).is_outage());
    }

    #[test]
    fn what_speaks_of_the_message_is_no_outage() {
        assert!(!Failure::from(sqlx::Error::RowNotFound).is_outage());
        assert!(!Failure::retry(anyhow!("too early")).is_outage());
        assert!(!Failure::reject("never").is_outage());
    }
}
