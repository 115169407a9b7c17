use super::row::Row;

/// What a relay wants of a broker: one implementation for each kind of broker.
pub(crate) trait Publish: Send {
    /// Connects, and declares what this service owns at the broker: before there is anything to
    /// publish, since others may wait for it. Cheap when done already.
    fn prepare(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Publishes rows in the order given and waits until the broker has taken a position on
    /// each of them. Answers in the same order.
    fn publish(
        &mut self,
        rows: &[Row],
    ) -> impl Future<Output = Vec<Result<(), PublishError>>> + Send;
}

/// Why a message is not published.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum PublishError {
    /// The broker is away, blocked or silent: nothing is known about the message.
    #[error("broker unavailable: {0}")]
    Unavailable(String),
    /// The broker speaks and does not want this message, whatever it does with others.
    #[error("refused: {0}")]
    Refused(String),
    /// The broker speaks and takes nothing for this exchange and routing key, or this topic, at present.
    #[error("refused: {0}")]
    Closed(String),
}

impl PublishError {
    /// What the broker says, if it speaks.
    pub(crate) fn refusal(&self) -> Option<&str> {
        match self {
            Self::Unavailable(_) => None,
            Self::Refused(reason) | Self::Closed(reason) => Some(reason),
        }
    }
}
