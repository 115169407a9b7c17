use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

use super::connection::FRAME_BYTES;
use super::properties::delivery_mode;

/// How many attempts to handle this message have failed.
const ATTEMPTS: &str = "failed-attempts";

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
    republished(properties, [(ATTEMPTS, AMQPValue::LongUInt(attempts))])
}

/// The properties of a message that is published again with headers added to its own.
///
/// An expiry stays behind, since it would take the message out of the queue where it has to wait,
/// and so does a user id, which has to be that of whoever publishes.
pub(crate) fn republished(
    original: &BasicProperties,
    added: impl IntoIterator<Item = (&'static str, AMQPValue)>,
) -> BasicProperties {
    fn keep<T: Clone>(
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
    let mut headers = fit_into_frame(original.headers().clone().unwrap_or_default());
    for (name, value) in added {
        headers.insert(name.into(), value);
    }
    let new = Properties::default()
        .with_headers(headers)
        .with_delivery_mode(delivery_mode());
    let new = keep(new, original.message_id(), Properties::with_message_id);
    let new = keep(new, original.kind(), Properties::with_type);
    let new = keep(new, original.content_type(), Properties::with_content_type);
    let encoding = original.content_encoding();
    let new = keep(new, encoding, Properties::with_content_encoding);
    let correlation_id = original.correlation_id();
    let new = keep(new, correlation_id, Properties::with_correlation_id);
    let new = keep(new, original.reply_to(), Properties::with_reply_to);
    let new = keep(new, original.timestamp(), Properties::with_timestamp);
    let new = keep(new, original.priority(), Properties::with_priority);
    keep(new, original.app_id(), Properties::with_app_id)
}

/// All headers have to fit into one frame, or the broker closes the connection: half of it is for
/// those that a message had. A long one is cut to half of what is left, so that there is always
/// room for short ones behind it.
fn fit_into_frame(headers: FieldTable) -> FieldTable {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_cut_until_they_fit_into_a_frame() {
        let long = || AMQPValue::LongString("x".repeat(100_000).into());
        let mut headers = FieldTable::default();
        for name in ["a", "b", "c", "d"] {
            headers.insert(name.into(), long());
        }
        headers.insert("short".into(), AMQPValue::LongString("kept".into()));
        headers.insert("z".into(), AMQPValue::Boolean(true));
        let fitting = fit_into_frame(headers);
        let text = |name| match fitting.inner().get(name) {
            Some(AMQPValue::LongString(text)) => Some(text.to_string()),
            _ => None,
        };
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
