use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use messaging::{HeaderValue, KeepLetters, Letter, LetterOrigin};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use uuid::Uuid;

use super::pattern;
use crate::store::{self, NewLetter};

/// So many bytes of a body, and of everything else, are looked through by a search.
const SEARCHED: usize = 8 * 1024;

/// Keeps every dead letter in the database.
pub struct Office {
    /// Where the letters are.
    pub pool: PgPool,
}

impl KeepLetters for Office {
    async fn keep(&self, letters: &[Letter]) -> anyhow::Result<()> {
        let letters: Vec<_> = letters.iter().map(new_letter).collect();
        Ok(store::keep_letters(&self.pool, &letters).await?)
    }
}

fn new_letter(letter: &Letter) -> NewLetter<'_> {
    let headers = headers(letter);
    let message_id = letter.message_id.as_deref().map(storable);
    let content: Value = serde_json::from_slice(&letter.body).unwrap_or_default();
    let order = content.get("order");
    let order_id = content.get("order_id");
    let order_id = order_id
        .or_else(|| order?.get("id"))
        .and_then(Value::as_str);
    let reason = storable(&letter.reason);
    NewLetter {
        id: Uuid::now_v7(),
        key: key(letter),
        fingerprint: fingerprint(letter, &headers),
        replay_of: letter.replay_of,
        service: letter.service.as_deref().map(storable),
        handler: letter.handler.as_deref().map(storable),
        consumer: letter.origin.as_ref().map_or("?".to_owned(), consumer),
        target: letter
            .origin
            .as_ref()
            .map(|origin| storable(&origin.replay_queue())),
        source: source(letter.origin.as_ref()),
        pattern: pattern(&reason),
        search: search(letter, &headers),
        reason,
        message_id,
        message_type: letter.message_type.as_deref().map(storable),
        written: letter.written.as_deref().map(storable),
        producer: letter.source.as_deref().map(storable),
        order_id: order_id.and_then(|id| id.parse().ok()),
        version: order
            .and_then(|order| order.get("version")?.as_i64())
            .and_then(|version| version.try_into().ok()),
        attempts: letter.attempts.into(),
        at: letter.time.unwrap_or_else(Timestamp::now),
        is_cut: letter.is_cut,
        headers,
        properties: json!(
            letter
                .properties
                .iter()
                .map(|(name, value)| (*name, storable(value)))
                .collect::<std::collections::BTreeMap<_, _>>()
        ),
        body: &letter.body,
    }
}

/// Which message of which consumer. One without an id is known by its place, and without a place by what it is.
fn key(letter: &Letter) -> Vec<u8> {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    };
    for part in [&letter.service, &letter.handler] {
        add(part.as_deref().unwrap_or_default().as_bytes());
    }
    match (&letter.message_id, &letter.origin) {
        (Some(id), _) => add(id.as_bytes()),
        (
            None,
            Some(LetterOrigin::Topic {
                topic,
                partition,
                offset,
                ..
            }),
        ) => {
            add(format!("{topic}/{partition}/{offset}").as_bytes());
        }
        (None, _) => {
            add(letter
                .message_type
                .as_deref()
                .unwrap_or_default()
                .as_bytes());
            add(&letter.body);
        }
    }
    hash.finalize().to_vec()
}

/// Which delivery to the office. One that comes again because it was not acknowledged is the same.
fn fingerprint(letter: &Letter, headers: &Value) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(headers.to_string());
    hash.update(json!(letter.properties).to_string());
    hash.update(&letter.body);
    hash.finalize().to_vec()
}

fn consumer(origin: &LetterOrigin) -> String {
    storable(match origin {
        LetterOrigin::Queue { queue, .. } | LetterOrigin::Broker { queue, .. } => queue,
        LetterOrigin::Topic { group, .. } => group,
    })
}

fn source(origin: Option<&LetterOrigin>) -> Value {
    match origin {
        Some(LetterOrigin::Queue {
            queue,
            exchange,
            routing_key,
        }) => json!({
            "kind": "queue", "queue": storable(queue), "exchange": storable(exchange),
            "routing_key": storable(routing_key),
        }),
        Some(LetterOrigin::Topic {
            topic,
            partition,
            offset,
            group,
            key,
        }) => json!({
            "kind": "topic", "topic": storable(topic), "partition": partition, "offset": offset,
            "group": storable(group), "key": key.as_deref().map(storable),
        }),
        Some(LetterOrigin::Broker { queue, reason }) => json!({
            "kind": "broker", "queue": storable(queue), "reason": storable(reason),
        }),
        None => json!({"kind": "unknown"}),
    }
}

fn headers(letter: &Letter) -> Value {
    let headers = letter.headers.iter().map(|header| {
        let (value, encoding) = match &header.value {
            HeaderValue::Text(text) if !text.contains('\0') => (text.clone(), "text"),
            HeaderValue::Text(text) => (BASE64_STANDARD.encode(text), "base64"),
            HeaderValue::Bytes(bytes) => (BASE64_STANDARD.encode(bytes), "base64"),
            HeaderValue::Other(value) => (value.to_string(), "json"),
        };
        json!({"name": storable(&header.name), "value": value, "encoding": encoding})
    });
    headers.collect()
}

fn search(letter: &Letter, headers: &Value) -> String {
    let body = &letter.body[..letter.body.len().min(SEARCHED)];
    let ids = [&letter.message_id, &letter.message_type];
    let ids = ids.into_iter().flatten().map(String::as_str);
    let values = headers.as_array().into_iter().flatten();
    let values = values.filter_map(|header| header["value"].as_str());
    let mut text = ids
        .chain([letter.reason.as_str()])
        .chain(values)
        .collect::<Vec<_>>()
        .join("\n");
    text.truncate(text.floor_char_boundary(SEARCHED));
    text.push('\n');
    text.push_str(&String::from_utf8_lossy(body));
    storable(&text.to_lowercase())
}

/// PostgreSQL stores no NUL.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
