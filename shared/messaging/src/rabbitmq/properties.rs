use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

use super::connection::FRAME_BYTES;
use crate::consume::Envelope;
use crate::outbox::Row;
use crate::rabbitmq::{persistent, short};

/// CloudEvents over AMQP prefixes its attributes; its binding is for AMQP 1.0, so on 0-9-1 this
/// is by analogy.
const PREFIX: &str = "cloudEvents_";
const ACCEPTED_PREFIXES: [&str; 2] = [PREFIX, "cloudEvents:"];
const TRACEPARENT: &str = "traceparent";
/// How many attempts to handle this message have failed.
const ATTEMPTS: &str = "failed-attempts";

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
        headers.insert(format!("{PREFIX}{name}").into(), text(value));
    }
    if let Some(traceparent) = traceparent {
        headers.insert(TRACEPARENT.into(), text(traceparent));
    }
    BasicProperties::default()
        .with_message_id(short(&row.message_id.to_string()))
        .with_type(short(&row.message_type))
        .with_content_type("application/json".into())
        .with_delivery_mode(persistent())
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
        } else if let Some(name) = ACCEPTED_PREFIXES.iter().find_map(|p| name.strip_prefix(p)) {
            envelope.set(name, &value);
        }
    }
    envelope
}

/// How many attempts to handle the message have failed before this delivery.
pub(crate) fn failed_attempts(properties: &BasicProperties) -> u32 {
    match properties
        .headers()
        .as_ref()
        .and_then(|headers| headers.inner().get(ATTEMPTS))
    {
        Some(AMQPValue::LongUInt(attempts)) => *attempts,
        Some(AMQPValue::LongInt(attempts)) => u32::try_from(*attempts).unwrap_or(0),
        Some(AMQPValue::LongLongInt(attempts)) => u32::try_from(*attempts).unwrap_or(0),
        _ => 0,
    }
}

/// The same properties, for another attempt.
pub(crate) fn with_failed_attempts(properties: &BasicProperties, attempts: u32) -> BasicProperties {
    again(properties, [(ATTEMPTS, AMQPValue::LongUInt(attempts))])
}

/// The properties of a message that is published again with headers added to its own.
///
/// An expiry stays behind, since it would take the message out of the queue where it has to wait,
/// and so does a user id, which has to be that of whoever publishes.
pub(crate) fn again(
    original: &BasicProperties,
    added: impl IntoIterator<Item = (&'static str, AMQPValue)>,
) -> BasicProperties {
    fn carry<T: Clone>(
        properties: BasicProperties,
        value: &Option<T>,
        with: fn(BasicProperties, T) -> BasicProperties,
    ) -> BasicProperties {
        match value {
            Some(value) => with(properties, value.clone()),
            None => properties,
        }
    }
    type Properties = BasicProperties;
    let mut headers = fit(original.headers().clone().unwrap_or_default());
    for (name, value) in added {
        headers.insert(name.into(), value);
    }
    let new = Properties::default()
        .with_headers(headers)
        .with_delivery_mode(persistent());
    let new = carry(new, original.message_id(), Properties::with_message_id);
    let new = carry(new, original.kind(), Properties::with_type);
    let new = carry(new, original.content_type(), Properties::with_content_type);
    let encoding = original.content_encoding();
    let new = carry(new, encoding, Properties::with_content_encoding);
    let correlation_id = original.correlation_id();
    let new = carry(new, correlation_id, Properties::with_correlation_id);
    let new = carry(new, original.reply_to(), Properties::with_reply_to);
    let new = carry(new, original.timestamp(), Properties::with_timestamp);
    let new = carry(new, original.priority(), Properties::with_priority);
    carry(new, original.app_id(), Properties::with_app_id)
}

/// All headers have to fit into one frame, or the broker closes the connection: half of it is for
/// those that a message had. A long one is cut to half of what is left, so that there is always
/// room for short ones behind it.
fn fit(headers: FieldTable) -> FieldTable {
    let mut room = FRAME_BYTES as usize / 2;
    let mut fitting = FieldTable::default();
    for (name, value) in headers.inner() {
        let (value, length) = match value {
            AMQPValue::LongString(text) => {
                let text = &text.as_bytes()[..text.len().min(room / 2)];
                (AMQPValue::LongString(text.into()), text.len())
            }
            other => (other.clone(), format!("{other:?}").len()),
        };
        // Lengths and types take a few bytes as well.
        let length = length + name.as_str().len() + 8;
        if let Some(left) = room.checked_sub(length) {
            room = left;
            fitting.insert(name.clone(), value);
        }
    }
    fitting
}

fn string(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(value) => Some(value.to_string()),
        AMQPValue::ShortString(value) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_can_be_decoded() -> Result<(), jiff::Error> {
        let created_at: jiff::Timestamp = "2026-11-22T10:00:00.123456Z".parse()?;
        let row = Row {
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

    #[test]
    fn headers_are_cut_until_they_fit_into_a_frame() {
        let long = || AMQPValue::LongString("x".repeat(100_000).into());
        let mut headers = FieldTable::default();
        for name in ["a", "b", "c", "d"] {
            headers.insert(name.into(), long());
        }
        headers.insert("short".into(), AMQPValue::LongString("kept".into()));
        headers.insert("z".into(), AMQPValue::Boolean(true));
        let fitting = fit(headers);
        let text = |name| fitting.inner().get(name).and_then(string);
        let length: usize = ["a", "b", "c", "d"]
            .into_iter()
            .filter_map(text)
            .map(|t| t.len())
            .sum();
        assert!(length < FRAME_BYTES as usize / 2);
        assert_eq!(text("short").as_deref(), Some("kept"));
        assert!(fitting.contains_key("z"));
    }

    #[test]
    fn failed_attempts_are_counted_in_a_header() {
        let fresh = BasicProperties::default();
        assert_eq!(failed_attempts(&fresh), 0);
        let once = with_failed_attempts(&fresh, 1);
        assert_eq!(failed_attempts(&once), 1);
        assert_eq!(failed_attempts(&with_failed_attempts(&once, 2)), 2);
    }
}
