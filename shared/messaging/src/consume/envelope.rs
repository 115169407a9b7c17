use contracts::{DecodeError, Inbound};
use jiff::Timestamp;
use uuid::Uuid;

use crate::cause::Cause;
use crate::handler::Received;

/// The attributes of a message on its way, before its body is decoded: CloudEvents 1.0 in binary
/// mode. How they are spelled in headers is up to each broker's codec.
#[derive(Debug, Clone, Default)]
pub(crate) struct Envelope {
    pub(crate) id: Option<String>,
    pub(crate) message_type: Option<String>,
    pub(crate) time: Option<String>,
    pub(crate) traceparent: Option<String>,
    /// Why nothing else is known about the message.
    pub(crate) unreadable: Option<String>,
}

/// Why a message never reached its handler.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnvelopeError {
    #[error("its properties cannot be read: {0}")]
    Unreadable(String),
    #[error("CloudEvents attribute `{0}` is missing")]
    Missing(&'static str),
    #[error("CloudEvents attribute `id` is not a UUID: `{0}`")]
    Id(String),
    #[error(transparent)]
    Body(#[from] DecodeError),
}

impl EnvelopeError {
    /// Whether the message is of a type that nobody here has ever known.
    pub(crate) fn is_unknown_type(&self) -> bool {
        matches!(self, Self::Body(DecodeError::UnknownType(_)))
    }
}

impl Envelope {
    /// Name of the attribute in headers, behind the prefix of the protocol binding.
    pub(crate) const ID: &str = "id";
    pub(crate) const SOURCE: &str = "source";
    pub(crate) const SPEC_VERSION: &str = "specversion";
    pub(crate) const TIME: &str = "time";
    pub(crate) const TYPE: &str = "type";

    /// Sets the attribute of this name; others are no concern of ours.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let field = match name {
            Self::ID => &mut self.id,
            Self::TYPE => &mut self.message_type,
            Self::TIME => &mut self.time,
            _ => return,
        };
        *field = Some(value.to_owned());
    }

    pub(crate) fn decode<M: Inbound>(self, body: &[u8]) -> Result<Received<M>, EnvelopeError> {
        if let Some(reason) = self.unreadable {
            return Err(EnvelopeError::Unreadable(reason));
        }
        let id = self.id.ok_or(EnvelopeError::Missing(Self::ID))?;
        let message_type = self
            .message_type
            .ok_or(EnvelopeError::Missing(Self::TYPE))?;
        Ok(Received {
            id: Uuid::parse_str(&id).map_err(|_| EnvelopeError::Id(id))?,
            // Optional in CloudEvents, and for information only.
            time: self
                .time
                .and_then(|time| time.parse().ok())
                .unwrap_or_else(Timestamp::now),
            cause: Cause::from_traceparent(self.traceparent),
            position: None,
            body: M::decode(&message_type, body)?,
        })
    }
}
