use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};

use super::sieve;
use crate::consume::Envelope;
use crate::faults::{Guarantee, without};
use crate::outbox::Row;

/// CloudEvents over AMQP prefixes its attributes; its binding is for AMQP 1.0, so on 0-9-1 this
/// is by analogy.
pub(super) const ATTRIBUTES: &str = "cloudEvents_";
const ACCEPTED_PREFIXES: [&str; 2] = [ATTRIBUTES, "cloudEvents:"];
pub(super) const TRACEPARENT: &str = "traceparent";

/// The properties of an outbox row on its way to an exchange.
pub(crate) fn encode(row: &Row, source: &str, traceparent: Option<&str>) -> BasicProperties {
    let text = |value: &str| AMQPValue::LongString(value.into());
    let mut headers = FieldTable::default();
    for (name, value) in [
        (Envelope::SPEC_VERSION, "1.0"),
        (Envelope::ID, &row.message_id.to_string()),
        (Envelope::TYPE, &row.message_type),
        (Envelope::SOURCE, source),
        (Envelope::TIME, &row.created_at.to_jiff().to_string()),
    ] {
        headers.insert(format!("{ATTRIBUTES}{name}").into(), text(value));
    }
    if let Some(traceparent) = traceparent {
        headers.insert(TRACEPARENT.into(), text(traceparent));
    }
    BasicProperties::default()
        .with_message_id(short_string(&row.message_id.to_string()))
        .with_type(short_string(&row.message_type))
        .with_content_type("application/json".into())
        .with_delivery_mode(delivery_mode())
        .with_headers(headers)
}

/// Reads the attributes of a delivery; the AMQP properties stand in for missing headers.
pub(crate) fn decode(properties: &BasicProperties) -> Envelope {
    let mut envelope = Envelope {
        id: properties.message_id().as_ref().map(ToString::to_string),
        message_type: properties.kind().as_ref().map(ToString::to_string),
        ..Envelope::default()
    };
    for (name, value) in properties
        .headers()
        .iter()
        .flat_map(|headers| headers.inner())
    {
        let Some(value) = string(value) else { continue };
        let name = name.as_str();
        if name == TRACEPARENT {
            envelope.traceparent = Some(value);
        } else if name == sieve::BECAUSE {
            envelope.unreadable = Some(value);
        } else if let Some(name) = ACCEPTED_PREFIXES.iter().find_map(|p| name.strip_prefix(p)) {
            envelope.set(name, &value);
        }
    }
    envelope
}

pub(super) fn string(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(value) => Some(value.to_string()),
        AMQPValue::ShortString(value) => Some(value.to_string()),
        _ => None,
    }
}

/// The delivery mode of a message that survives a restart of the broker.
pub(super) fn delivery_mode() -> u8 {
    if without(Guarantee::Persistence) {
        1
    } else {
        2
    }
}

/// A short string of AMQP, cut off at the 255 bytes that the protocol allows. Names of ours are
/// far below; what arrives from elsewhere may not be.
pub(super) fn short_string(text: &str) -> ShortString {
    const LONGEST: usize = 255;
    let end = (0..=text.len().min(LONGEST))
        .rev()
        .find(|&end| text.is_char_boundary(end));
    ShortString::try_new(&text[..end.unwrap_or(0)]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_can_be_decoded() -> Result<(), jiff::Error> {
        let created_at: jiff::Timestamp = "2026-11-22T10:00:00.123456Z".parse()?;
        let row = Row {
            shard: 0,
            seq: 1,
            message_id: uuid::Uuid::now_v7(),
            destination: "parcels".to_owned(),
            routing_key: "to.all".to_owned(),
            message_type: "test.parcel.v1".to_owned(),
            traceparent: None,
            body: Vec::new(),
            created_at: created_at.into(),
            attempts: 0,
        };
        let envelope = decode(&encode(&row, "/spillway/tests", Some("00-1-2-01")));
        assert_eq!(envelope.id, Some(row.message_id.to_string()));
        assert_eq!(envelope.message_type, Some(row.message_type));
        assert_eq!(envelope.time, Some(created_at.to_string()));
        assert_eq!(envelope.traceparent.as_deref(), Some("00-1-2-01"));
        Ok(())
    }

    #[test]
    fn properties_stand_in_for_attributes_that_are_missing() {
        let properties = BasicProperties::default()
            .with_message_id("id".into())
            .with_type("test.parcel.v1".into());
        let envelope = decode(&properties);
        assert_eq!(envelope.id.as_deref(), Some("id"));
        assert_eq!(envelope.message_type.as_deref(), Some("test.parcel.v1"));
    }
}
