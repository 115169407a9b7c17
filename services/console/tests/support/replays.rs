//! What is done to letters to replay them, as far as no broker is needed.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use console::store::{self, Span};
use jiff::Timestamp;
use messaging::{HeaderValue, Letter, LetterHeader};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::letters::{again, kept, letter};
use super::{Answer, Service};

/// Letters that can be replayed.
pub(crate) async fn some(service: &Service, count: usize) -> Result<Vec<Uuid>> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(kept(service, &letter(Uuid::now_v7())).await?);
    }
    Ok(ids)
}

pub(crate) async fn replay(service: &Service, set: Value) -> Result<Answer> {
    let mut asked = json!({"by": "Ada"});
    for (name, value) in set.as_object().into_iter().flatten() {
        asked[name] = value.clone();
    }
    service.post("/api/console/replays", &asked).await
}

/// What would have been published next, as if the broker had taken it.
pub(crate) async fn publish(service: &Service, job: Uuid, limit: i64) -> Result<Vec<store::Due>> {
    let due = store::due(&service.pool, job, limit).await?;
    let positions: Vec<_> = due.iter().map(|due| due.position).collect();
    let ids = || due.iter().map(|due| due.letter_id.as_bytes().to_vec());
    let (traces, spans): (Vec<_>, Vec<_>) =
        (ids().collect(), ids().map(|id| id[8..].to_vec()).collect());
    store::released(&service.pool, job, &positions, &traces, &spans).await?;
    Ok(due)
}

/// The span of a consumer that has handled a replay, or failed to.
pub(crate) fn span(letter: Uuid, error: Option<&str>) -> Span {
    Span {
        trace_id: letter.as_bytes().to_vec(),
        span_id: Uuid::now_v7().as_bytes()[8..].to_vec(),
        parent_id: letter.as_bytes()[8..].to_vec(),
        name: "process inventory.own:inventory.stock-commands".to_owned(),
        service: "inventory".to_owned(),
        instance: "one".to_owned(),
        started_at: Timestamp::now(),
        duration_us: 1_500,
        attributes: Map::default(),
        error: error.map(str::to_owned),
    }
}

/// The letter that a replay with this trace has become.
pub(crate) fn back(letter: &Letter, replay_of: Uuid, trace: Uuid) -> Letter {
    let mut back = again(letter);
    back.replay_of = Some(replay_of);
    back.headers.push(LetterHeader {
        name: "traceparent".to_owned(),
        value: HeaderValue::Text(format!("00-{}-00f067aa0ba902b7-01", trace.simple())),
    });
    back
}

pub(crate) fn id_of(answer: &Answer) -> Result<Uuid> {
    Ok(answer.body["id"].as_str().context("no job")?.parse()?)
}

pub(crate) async fn states(service: &Service) -> Result<BTreeMap<String, usize>> {
    let mut states = BTreeMap::new();
    for letter in super::letters::all(service).await? {
        *states.entry(letter.state).or_default() += 1;
    }
    Ok(states)
}
