use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use database::within_limit;
use jiff::Timestamp;
use messaging::{HeaderValue, KeepLetters, Letter, LetterOrigin};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use tracing::warn;
use uuid::Uuid;

use super::about::{About, searched, storable};
use super::pattern;
use crate::store::{self, NewLetter};

/// Keeps every dead letter in the database.
pub struct Office {
    /// Where the letters are.
    pub pool: PgPool,
}

impl KeepLetters for Office {
    async fn keep(&self, letters: &[Letter]) -> anyhow::Result<()> {
        let all: Vec<_> = letters.iter().map(new_letter).collect();
        match self.store(&all).await {
            Err(error) if !database::is_outage(&error) => {}
            stored => return Ok(stored?),
        }
        // One of them holds something that the database does not store. It keeps none of the others away.
        for letter in all {
            match self.store(std::slice::from_ref(&letter)).await {
                Err(error) if !database::is_outage(&error) => {
                    let error = error.to_string();
                    warn!(error, "a dead letter is kept without what cannot be stored");
                    self.store(&[bare(letter, &error)]).await?;
                }
                stored => stored?,
            }
        }
        Ok(())
    }
}

impl Office {
    async fn store(&self, letters: &[NewLetter<'_>]) -> sqlx::Result<()> {
        within_limit(store::keep_letters(&self.pool, letters)).await
    }
}

/// Only what can be stored whatever it is.
fn bare<'a>(letter: NewLetter<'a>, error: &str) -> NewLetter<'a> {
    NewLetter {
        reason: format!(
            "{} (not all of it could be stored: {error})",
            letter.pattern
        ),
        message_id: None,
        message_type: None,
        written: None,
        producer: None,
        order_id: None,
        version: None,
        at: Timestamp::now(),
        is_cut: true,
        headers: json!([]),
        properties: json!({}),
        search: String::new(),
        ..letter
    }
}

fn new_letter(letter: &Letter) -> NewLetter<'_> {
    let headers = headers(letter);
    let about = About::of(&letter.body);
    let reason = storable(&letter.reason);
    let text = |text: &Option<String>| text.as_deref().map(storable);
    let properties = letter.properties.iter();
    let properties: Map<_, _> = properties
        .map(|(name, value)| ((*name).to_owned(), storable(value).into()))
        .collect();
    NewLetter {
        id: Uuid::now_v7(),
        key: key(letter),
        fingerprint: fingerprint(letter, &headers),
        replay_of: letter.replay_of,
        doubt: letter.doubt,
        trace_id: trace_id(letter),
        service: text(&letter.service),
        handler: text(&letter.handler),
        consumer: consumer(letter),
        target: (letter.origin.as_ref()).map(|origin| storable(&origin.replay_queue())),
        source: source(letter.origin.as_ref()),
        pattern: pattern(&reason),
        search: searched(
            &[&letter.message_id, &letter.message_type],
            &letter.reason,
            &headers,
            &letter.body,
        ),
        reason,
        message_id: text(&letter.message_id),
        message_type: text(&letter.message_type),
        written: text(&letter.written),
        producer: text(&letter.source),
        order_id: about.order_id,
        version: about.version,
        attempts: letter.attempts.into(),
        at: time(letter),
        is_cut: letter.is_cut,
        headers,
        properties: properties.into(),
        body: &letter.body,
    }
}

/// When it was given up, if that can be: anybody can write a time.
fn time(letter: &Letter) -> Timestamp {
    let now = Timestamp::now();
    let given = letter
        .time
        .filter(|time| (Timestamp::UNIX_EPOCH..=now).contains(time));
    given.unwrap_or(now)
}

/// The trace that travelled with the message, as a W3C `traceparent`.
fn trace_id(letter: &Letter) -> Option<Vec<u8>> {
    let header = letter
        .headers
        .iter()
        .find(|header| header.name == "traceparent")?;
    let HeaderValue::Text(text) = &header.value else {
        return None;
    };
    let digits = text.get(3..35)?;
    u128::from_str_radix(digits, 16)
        .ok()
        .map(|id| id.to_be_bytes().to_vec())
}

/// Which message of which consumer. One without an id is known by its place, and without a place by what it is.
fn key(letter: &Letter) -> Vec<u8> {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default().into_bytes();
    for part in [&letter.service, &letter.handler] {
        add(&text(part));
    }
    if letter.service.is_none() || letter.handler.is_none() {
        add(consumer(letter).as_bytes());
    }
    let id = letter.message_id.as_ref();
    match (id.filter(|id| Uuid::try_parse(id).is_ok()), place(letter)) {
        (Some(id), _) => add(id.as_bytes()),
        (None, Some(place)) => add(place.as_bytes()),
        (None, None) => {
            for part in [&letter.message_id, &letter.message_type] {
                add(&text(part));
            }
            add(&letter.body);
        }
    }
    hash.finalize().to_vec()
}

/// Where a record stands: nothing else is ever there.
fn place(letter: &Letter) -> Option<String> {
    match letter.origin.as_ref()? {
        LetterOrigin::Topic {
            topic,
            partition,
            offset,
            ..
        } => Some(format!("{topic}/{partition}/{offset}")),
        LetterOrigin::Queue { .. } | LetterOrigin::Broker { .. } => None,
    }
}

/// Which delivery to the office. One that comes again because it was not acknowledged is the same.
fn fingerprint(letter: &Letter, headers: &Value) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(headers.to_string());
    hash.update(json!(letter.properties).to_string());
    hash.update(&letter.body);
    hash.finalize().to_vec()
}

fn consumer(letter: &Letter) -> String {
    storable(match &letter.origin {
        Some(LetterOrigin::Queue { queue, .. } | LetterOrigin::Broker { queue, .. }) => queue,
        Some(LetterOrigin::Topic { group, .. }) => group,
        None => "?",
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
