use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};

use super::attempts::ATTEMPTS;
use super::connection::FRAME_BYTES;
use super::dead_letters;
use super::properties::{delivery_mode, short_string};
use crate::contained::contained;

/// Header that names those which were too long to travel along as a whole.
pub(super) const CUT: &str = "headers-cut";
/// No more of their names is told.
const LONGEST_LIST: usize = 512;
/// In front of the names of headers that must not travel on under the names they had.
const ORIGINAL: &str = "original-";

/// The properties of a message that is published again with headers added to its own.
///
/// What tells the broker to do something stays behind: an expiry would take the message out of the queue where
/// it has to wait, a user id has to be that of whoever publishes, and the pseudo-queue for direct replies is
/// refused.
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
    let headers = original.headers().clone().unwrap_or_default();
    let mut headers = contained(|| fit_into_frame(headers)).unwrap_or_default();
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
    let reply_to = original.reply_to().clone();
    let reply_to = reply_to.filter(|queue| queue.as_str() != "amq.rabbitmq.reply-to");
    let new = keep(new, &reply_to, Properties::with_reply_to);
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
    let mut cut = Vec::new();
    for (name, value) in headers.inner() {
        let Some(name) = name_again(name.as_str()) else {
            continue;
        };
        let length = match value {
            AMQPValue::LongString(text) => text.len(),
            AMQPValue::ByteArray(bytes) => bytes.len(),
            other => format!("{other:?}").len(),
        };
        let longest = length.min(room / 2);
        let (part, length, is_whole) = match value {
            AMQPValue::LongString(text) => {
                let part = AMQPValue::LongString(text.as_bytes()[..longest].into());
                (part, longest, longest == length)
            }
            AMQPValue::ByteArray(bytes) => {
                let part = AMQPValue::ByteArray(bytes.as_slice()[..longest].into());
                (part, longest, longest == length)
            }
            other => (other.clone(), length, true),
        };
        // Lengths and types take a few bytes as well.
        let left = room.checked_sub(length + name.as_str().len() + 8);
        if left.is_none() || !is_whole {
            cut.push(name.to_string());
        }
        if let Some(left) = left {
            room = left;
            fitting.insert(name, part);
        }
    }
    if !cut.is_empty() {
        let mut cut = format!("{} headers: {}", cut.len(), cut.join(", "));
        cut.truncate(cut.floor_char_boundary(LONGEST_LIST));
        fitting.insert(CUT.into(), AMQPValue::LongString(cut.into()));
    }
    fitting
}

/// What a header is called when its message is published again. The count of attempts is set anew or left out;
/// `CC` and `BCC` would make the broker send copies to other queues, and what is named like the headers of a dead
/// letter would be taken for those.
fn name_again(name: &str) -> Option<ShortString> {
    let is_renamed = matches!(name, "CC" | "BCC") || name.starts_with(dead_letters::PREFIX);
    match name {
        ATTEMPTS => None,
        _ if is_renamed => Some(short_string(&format!("{ORIGINAL}{name}"))),
        _ => Some(short_string(name)),
    }
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
        assert_eq!(text(CUT).as_deref(), Some("4 headers: a, b, c, d"));
    }

    #[test]
    fn what_a_broker_obeys_and_what_is_named_like_ours_does_not_travel_on_under_its_name() {
        let text = || AMQPValue::LongString("foreign".into());
        let mut headers = FieldTable::default();
        for name in ["BCC", "CC", "dead-letter-queue", ATTEMPTS, "x-custom"] {
            headers.insert(name.into(), text());
        }
        let foreign = BasicProperties::default()
            .with_headers(headers)
            .with_expiration("1".into())
            .with_user_id("somebody".into())
            .with_reply_to("amq.rabbitmq.reply-to".into());
        let again = republished(&foreign, [("dead-letter-topic", text())]);
        let headers = again.headers().clone().unwrap_or_default();
        let names: Vec<_> = headers.inner().keys().map(ShortString::as_str).collect();
        let expected = [
            "dead-letter-topic",
            "original-BCC",
            "original-CC",
            "original-dead-letter-queue",
            "x-custom",
        ];
        assert_eq!(names, expected);
        assert_eq!(again.expiration(), &None);
        assert_eq!(again.user_id(), &None);
        assert_eq!(again.reply_to(), &None);
    }
}
