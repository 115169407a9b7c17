use std::collections::BTreeMap;

use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable, LongString};
use serde_json::{Value, json};

use super::dead_letters;
use super::properties::{self, string};
use super::replayer::REPLAY_OF;
use super::republished::CUT;
use crate::consume::Envelope;
use crate::contained::contained;
use crate::letters::{HeaderValue, Letter, LetterHeader, LetterOrigin};

/// A delivery from the queue of dead letters. Whatever cannot be read of it is missing.
pub(super) fn letter(delivery: Delivery) -> Letter {
    let properties = &delivery.properties;
    let read = contained(|| read(properties));
    let mut letter = read.unwrap_or_else(|reason| Letter::unreadable(&reason));
    letter.body = delivery.data;
    letter
}

fn read(properties: &BasicProperties) -> Letter {
    let none = FieldTable::default();
    let headers = properties.headers().as_ref().unwrap_or(&none);
    let get = |name: &str| headers.inner().get(name);
    let text = |name: &str| get(name).and_then(string);
    let number = |name: &str| get(name).and_then(integer);
    let envelope = properties::decode(properties);
    let attribute = |name: &str| {
        let of_queue = text(&format!("{}{name}", properties::ATTRIBUTES));
        of_queue.or_else(|| text(&format!("ce_{name}")))
    };
    let origin = origin(&text, &number);
    let place = match &origin {
        Some(LetterOrigin::Topic {
            topic,
            partition,
            offset,
            ..
        }) => Some(format!("{topic}/{partition}/{offset}")),
        _ => None,
    };
    let by_broker = matches!(origin, Some(LetterOrigin::Broker { .. }));
    let reason = text("dead-letter-reason").unwrap_or_else(|| match &origin {
        Some(LetterOrigin::Broker { reason, .. }) => format!("the broker gave it up: {reason}"),
        _ => "unknown: it does not come from a consumer of this system".to_owned(),
    });
    Letter {
        service: text("dead-letter-service"),
        handler: text("dead-letter-handler"),
        attempts: number("dead-letter-attempts")
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(u32::from(by_broker)),
        time: text("dead-letter-time").and_then(|time| time.parse().ok()),
        // A record without an id is called by its place.
        message_id: envelope.id.filter(|id| Some(id) != place.as_ref()),
        message_type: envelope.message_type,
        written: attribute(Envelope::TIME),
        source: attribute(Envelope::SOURCE),
        replay_of: text(REPLAY_OF).and_then(|id| id.parse().ok()),
        doubt: dead_letters::doubt_of(properties),
        headers: all(headers),
        properties: set(properties),
        is_cut: get(CUT).is_some() || get("dead-letter-body-cut").is_some(),
        body: Vec::new(),
        origin,
        reason,
    }
}

fn origin(
    text: &impl Fn(&str) -> Option<String>,
    number: &impl Fn(&str) -> Option<i64>,
) -> Option<LetterOrigin> {
    if let Some(queue) = text("dead-letter-queue") {
        return Some(LetterOrigin::Queue {
            queue,
            exchange: text("dead-letter-exchange").unwrap_or_default(),
            routing_key: text("dead-letter-routing-key").unwrap_or_default(),
        });
    }
    if let Some(topic) = text("dead-letter-topic") {
        return Some(LetterOrigin::Topic {
            topic,
            partition: i32::try_from(number("dead-letter-partition")?).ok()?,
            offset: number("dead-letter-offset")?,
            group: text("dead-letter-consumer-group")?,
            key: text("dead-letter-key"),
        });
    }
    Some(LetterOrigin::Broker {
        queue: text("x-first-death-queue")?,
        reason: text("x-first-death-reason").unwrap_or_default(),
    })
}

fn all(headers: &FieldTable) -> Vec<LetterHeader> {
    let headers = headers.inner().iter().map(|(name, value)| LetterHeader {
        name: name.to_string(),
        value: match value {
            AMQPValue::LongString(bytes) => of_bytes(bytes),
            AMQPValue::ShortString(text) => HeaderValue::Text(text.to_string()),
            AMQPValue::ByteArray(bytes) => HeaderValue::Bytes(bytes.as_slice().to_vec()),
            other => HeaderValue::Other(as_json(other)),
        },
    });
    headers.collect()
}

fn of_bytes(bytes: &LongString) -> HeaderValue {
    match std::str::from_utf8(bytes.as_bytes()) {
        Ok(text) => HeaderValue::Text(text.to_owned()),
        Err(_) => HeaderValue::Bytes(bytes.as_bytes().to_vec()),
    }
}

fn as_json(value: &AMQPValue) -> Value {
    match value {
        AMQPValue::Void => Value::Null,
        AMQPValue::Boolean(value) => json!(value),
        AMQPValue::Float(value) => json!(value),
        AMQPValue::Double(value) => json!(value),
        AMQPValue::Timestamp(value) => json!(value),
        AMQPValue::LongString(value) => json!(value.to_string()),
        AMQPValue::ShortString(value) => json!(value.as_str()),
        AMQPValue::FieldArray(values) => values.as_slice().iter().map(as_json).collect(),
        AMQPValue::FieldTable(table) => {
            let entries = table.inner().iter();
            let entries = entries.map(|(name, value)| (name.to_string(), as_json(value)));
            Value::Object(entries.collect())
        }
        other => match integer(other) {
            Some(number) => json!(number),
            None => json!(format!("{other:?}")),
        },
    }
}

fn integer(value: &AMQPValue) -> Option<i64> {
    Some(match value {
        AMQPValue::ShortShortInt(value) => (*value).into(),
        AMQPValue::ShortShortUInt(value) => (*value).into(),
        AMQPValue::ShortInt(value) => (*value).into(),
        AMQPValue::ShortUInt(value) => (*value).into(),
        AMQPValue::LongInt(value) => (*value).into(),
        AMQPValue::LongUInt(value) => (*value).into(),
        AMQPValue::LongLongInt(value) => *value,
        _ => return None,
    })
}

fn set(properties: &BasicProperties) -> BTreeMap<&'static str, String> {
    let text = |value: &Option<lapin::types::ShortString>| value.as_ref().map(ToString::to_string);
    let all = [
        ("message-id", text(properties.message_id())),
        ("type", text(properties.kind())),
        ("content-type", text(properties.content_type())),
        ("content-encoding", text(properties.content_encoding())),
        ("correlation-id", text(properties.correlation_id())),
        ("reply-to", text(properties.reply_to())),
        ("app-id", text(properties.app_id())),
        ("user-id", text(properties.user_id())),
        ("expiration", text(properties.expiration())),
        (
            "priority",
            properties.priority().map(|value| value.to_string()),
        ),
        (
            "timestamp",
            properties.timestamp().map(|value| value.to_string()),
        ),
        (
            "delivery-mode",
            properties.delivery_mode().map(|value| value.to_string()),
        ),
    ];
    let set = all.into_iter();
    set.filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

impl Letter {
    fn unreadable(reason: &str) -> Self {
        Self {
            origin: None,
            service: None,
            handler: None,
            reason: format!("its properties cannot be read: {reason}"),
            attempts: 0,
            time: None,
            message_id: None,
            message_type: None,
            written: None,
            source: None,
            replay_of: None,
            doubt: None,
            headers: Vec::new(),
            properties: BTreeMap::new(),
            is_cut: true,
            body: Vec::new(),
        }
    }
}
