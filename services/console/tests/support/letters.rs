//! Letters to try things with.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use console::office::Office;
use console::store::{self, LetterFilter};
use contracts::topology::STOCK_COMMANDS;
use jiff::Timestamp;
use messaging::{HeaderValue, KeepLetters, Letter, LetterHeader, LetterOrigin};
use uuid::Uuid;

use super::Service;

pub(crate) const REASON: &str = "unsupported version of message type `spillway.release-stock.v9`";

/// A command to release the stock of an order, of a version that nobody knows.
pub(crate) fn letter(order: Uuid) -> Letter {
    Letter {
        origin: Some(LetterOrigin::Queue {
            queue: STOCK_COMMANDS.to_owned(),
            exchange: "commands".to_owned(),
            routing_key: "stock.release".to_owned(),
        }),
        service: Some("inventory".to_owned()),
        handler: Some("stock-commands".to_owned()),
        reason: REASON.to_owned(),
        attempts: 1,
        time: Some(Timestamp::now()),
        message_id: Some(Uuid::now_v7().to_string()),
        message_type: Some("spillway.release-stock.v9".to_owned()),
        written: None,
        source: None,
        replay_of: None,
        doubt: None,
        headers: vec![time_header()],
        properties: BTreeMap::new(),
        is_cut: false,
        body: format!(r#"{{"order_id":"{order}"}}"#).into_bytes(),
    }
}

/// The same message, given up another time.
pub(crate) fn again(letter: &Letter) -> Letter {
    Letter {
        headers: vec![time_header()],
        time: Some(Timestamp::now()),
        ..letter.clone()
    }
}

fn time_header() -> LetterHeader {
    LetterHeader {
        name: "dead-letter-time".to_owned(),
        // No two letters are given up at the same time.
        value: HeaderValue::Text(Uuid::now_v7().to_string()),
    }
}

/// Keeps letters as they come from the queue.
pub(crate) async fn keep(service: &Service, letters: &[Letter]) -> Result<()> {
    let pool = service.pool.clone();
    Office { pool }.keep(letters).await
}

/// All letters, the oldest first.
pub(crate) async fn all(service: &Service) -> Result<Vec<store::Letter>> {
    let mut letters = store::letters(&service.pool, &LetterFilter::default(), None, 10_000).await?;
    letters.reverse();
    Ok(letters)
}

/// The one letter that there is.
pub(crate) async fn only(service: &Service) -> Result<store::Letter> {
    let letters = all(service).await?;
    anyhow::ensure!(letters.len() == 1, "{} letters", letters.len());
    letters.into_iter().next().context("no letter")
}

/// Keeps one letter and answers its id.
pub(crate) async fn kept(service: &Service, letter: &Letter) -> Result<Uuid> {
    keep(service, std::slice::from_ref(letter)).await?;
    let newest = store::letters(&service.pool, &LetterFilter::default(), None, 1).await?;
    newest.first().map(|letter| letter.id).context("no letter")
}
