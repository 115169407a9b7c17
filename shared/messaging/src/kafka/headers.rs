use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};

use crate::consume::{Envelope, Original};
use crate::outbox::Row;

/// Prefix of attributes in the CloudEvents binding for Kafka.
const PREFIX: &str = "ce_";
const TRACEPARENT: &str = "traceparent";

/// The headers of an outbox row on its way to a topic.
pub(crate) fn encode(row: &Row, source: &str, traceparent: Option<&str>) -> OwnedHeaders {
    let attribute = |headers: OwnedHeaders, key: &str, value: &str| {
        headers.insert(Header {
            key,
            value: Some(value),
        })
    };
    let mut headers = attribute(OwnedHeaders::new(), "content-type", "application/json");
    for (key, value) in [
        (Envelope::SPEC_VERSION, "1.0"),
        (Envelope::ID, &row.message_id.to_string()),
        (Envelope::TYPE, &row.message_type),
        (Envelope::SOURCE, source),
        (Envelope::TIME, &row.created_at.to_jiff().to_string()),
    ] {
        headers = attribute(headers, &format!("{PREFIX}{key}"), value);
    }
    match traceparent {
        Some(traceparent) => attribute(headers, TRACEPARENT, traceparent),
        None => headers,
    }
}

/// Reads the attributes of a record.
pub(crate) fn decode(message: &BorrowedMessage<'_>) -> Envelope {
    let mut envelope = Envelope::default();
    for header in message.headers().iter().flat_map(|headers| headers.iter()) {
        let Some(value) = header
            .value
            .and_then(|value| std::str::from_utf8(value).ok())
        else {
            continue;
        };
        if header.key == TRACEPARENT {
            envelope.traceparent = Some(value.to_owned());
        } else if let Some(name) = header.key.strip_prefix(PREFIX) {
            envelope.set(name, value);
        }
    }
    envelope
}

/// The record as it was, for a dead letter. Values keep their bytes.
pub(crate) fn original(message: &BorrowedMessage<'_>) -> Original {
    let envelope = decode(message);
    // A dead letter is told from others in its window by its id, even if the record has none.
    let position = || {
        let (topic, partition) = (message.topic(), message.partition());
        format!("{topic}/{partition}/{}", message.offset())
    };
    let headers = message.headers().into_iter().flat_map(Headers::iter);
    Original {
        id: envelope.id.unwrap_or_else(position),
        message_type: envelope.message_type,
        headers: headers
            .map(|header| {
                let value = header.value.unwrap_or_default();
                (header.key.to_owned(), value.to_vec())
            })
            .collect(),
        body: message.payload().unwrap_or_default().to_vec(),
    }
}
