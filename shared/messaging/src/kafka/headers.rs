use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};

use crate::consume::{Envelope, Original};
use crate::contained::quietly;
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
    for header in readable(message) {
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
    // A dead letter names its record by an id, even if the record has none.
    let position = || {
        let (topic, partition) = (message.topic(), message.partition());
        format!("{topic}/{partition}/{}", message.offset())
    };
    let headers: Vec<_> = readable(message)
        .map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec)))
        .collect();
    let count = message.headers().map_or(0, Headers::count);
    Original {
        id: envelope.id.unwrap_or_else(position),
        message_type: envelope.message_type,
        unreadable_headers: count - headers.len(),
        headers,
        body: message.payload().unwrap_or_default().to_vec(),
    }
}

/// The headers whose names are UTF-8. rdkafka panics when asked for another one, and has no way to ask for its
/// bytes.
fn readable<'m>(message: &'m BorrowedMessage<'_>) -> impl Iterator<Item = Header<'m, &'m [u8]>> {
    let headers = message.headers();
    let count = headers.map_or(0, Headers::count);
    (0..count).filter_map(move |index| quietly(|| headers?.try_get(index))?)
}
