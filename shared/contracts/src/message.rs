use std::borrow::Cow;

use garde::Validate;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::topology::{Exchange, Topic};

/// Something one service tells others: a command or a fact.
pub trait Message:
    Serialize + DeserializeOwned + JsonSchema + Validate<Context = ()> + Send + Sync + 'static
{
    /// The CloudEvents `type`: a name and a major version, for example `spillway.stock-reserved.v1`.
    ///
    /// A change that an old reader would misunderstand gets a new version; a new optional field
    /// does not.
    const TYPE: &'static str;

    /// Where this message travels.
    fn route(&self) -> Route;

    /// Messages with the same key are published in the order in which they were written.
    fn ordering_key(&self) -> String;
}

/// The place to which a message is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A RabbitMQ exchange, with the routing key that the bindings of queues match.
    Exchange {
        /// The exchange.
        exchange: Exchange,
        /// Routing key of this message.
        routing_key: Cow<'static, str>,
    },
    /// A RabbitMQ queue, named directly: for messages that a service sends to itself.
    Queue {
        /// Name of the queue.
        queue: &'static str,
    },
    /// A Kafka topic. The partition follows from [`Message::ordering_key`].
    Topic {
        /// The topic.
        topic: Topic,
    },
}

/// What can be found on one queue or topic: a message type, or an enum of several.
///
/// A type is called `spillway.<name>.v<N>`. Up to its last `.v` it says what the message is about; the number behind
/// it changes with every change that older readers cannot bear.
pub trait Inbound: Clone + Send + Sync + 'static {
    /// The CloudEvents types that [`Inbound::decode`] knows.
    const TYPES: &'static [&'static str];

    /// Decodes and validates the body of a message of the given CloudEvents type.
    fn decode(message_type: &str, body: &[u8]) -> Result<Self, DecodeError>;
}

/// Why a message can never be handled. Every case ends as a dead letter with this text as reason, but for an
/// unknown type in a topic.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// No consumer of this queue or topic has ever known the type. Facts are for whoever cares, so such a record
    /// of a topic is for others: it is settled and counted. In a queue, where somebody has to do something about
    /// every message, it is a dead letter.
    #[error("unknown message type `{0}`")]
    UnknownType(String),
    /// The name is known, the version is not: the message is for this reader, which is too old or too new for it.
    #[error("unsupported version of message type `{0}`, supported: {1}")]
    UnsupportedVersion(String, &'static str),
    /// The body is not JSON of the expected shape.
    #[error("malformed body of `{0}`: {1}")]
    Malformed(&'static str, serde_json::Error),
    /// The body has the right shape and breaks a rule.
    #[error("invalid body of `{0}`: {1}")]
    Invalid(&'static str, String),
}

impl DecodeError {
    /// The error for a type that is not among the `known` ones.
    #[must_use]
    pub fn unexpected_type(message_type: &str, known: &'static [&'static str]) -> Self {
        let wanted = name_of(message_type);
        let same = known.iter().find(|known| name_of(known) == wanted);
        match same.filter(|_| wanted.is_some()) {
            Some(supported) => Self::UnsupportedVersion(message_type.to_owned(), supported),
            None => Self::UnknownType(message_type.to_owned()),
        }
    }
}

/// `<name>` of a type `<name>.v<N>`; none if it does not have this form.
fn name_of(message_type: &str) -> Option<&str> {
    let (name, version) = message_type.rsplit_once(".v")?;
    let is_number = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(name)
}

/// Decodes one message type; what [`Inbound::decode`] of every type comes down to.
pub(crate) fn decode_body<M: Message>(body: &[u8]) -> Result<M, DecodeError> {
    let message: M =
        serde_json::from_slice(body).map_err(|error| DecodeError::Malformed(M::TYPE, error))?;
    message
        .validate()
        .map_err(|report| DecodeError::Invalid(M::TYPE, report.to_string().trim().to_owned()))?;
    Ok(message)
}

impl<M: Message + Clone> Inbound for M {
    const TYPES: &'static [&'static str] = &[M::TYPE];

    fn decode(message_type: &str, body: &[u8]) -> Result<Self, DecodeError> {
        if message_type == M::TYPE {
            decode_body(body)
        } else {
            Err(DecodeError::unexpected_type(message_type, Self::TYPES))
        }
    }
}

/// Declares the enum of all messages of one queue or topic, with its [`Inbound`].
macro_rules! inbound {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        $vis enum $name {
            $(#[doc = concat!("See [`", stringify!($variant), "`].")] $variant($variant),)+
        }

        impl $crate::Inbound for $name {
            const TYPES: &'static [&'static str] =
                &[$(<$variant as $crate::Message>::TYPE),+];

            fn decode(message_type: &str, body: &[u8]) -> Result<Self, $crate::DecodeError> {
                $(if message_type == <$variant as $crate::Message>::TYPE {
                    return $crate::message::decode_body(body).map(Self::$variant);
                })+
                Err($crate::DecodeError::unexpected_type(message_type, Self::TYPES))
            }
        }

        $(impl From<$variant> for $name {
            fn from(message: $variant) -> Self {
                Self::$variant(message)
            }
        })+
    };
}
pub(crate) use inbound;
