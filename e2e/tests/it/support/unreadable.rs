//! A message that is no message.

use std::time::Duration;

use anyhow::{Context, Result};
use contracts::topology::STOCK_COMMANDS;
use contracts::{Message, ReserveStock};
use harness::{Letter, RawAmqp, RawMessage, RawValue, Stack};
use uuid::Uuid;

/// Neither JSON nor text.
pub(crate) const NO_TEXT: &[u8] = b"\xFF\xFE\0{}";
pub(crate) const HEX: &str = "fffe007b7d";
/// A service may have to start first.
const LIMIT: Duration = Duration::from_secs(60);

/// A command that nobody can read, as the console keeps it.
pub(crate) async fn unreadable(stack: &Stack) -> Result<Letter> {
    let id = Uuid::now_v7().to_string();
    let message = RawMessage {
        message_id: id.clone().into_bytes(),
        message_type: ReserveStock::TYPE.as_bytes().to_vec(),
        headers: vec![(
            b"x-of-the-sender".to_vec(),
            RawValue::Text(b"kept".to_vec()),
        )],
        body: NO_TEXT.to_vec(),
    };
    let mut client = RawAmqp::connect().await?;
    client.publish(STOCK_COMMANDS, &message).await?;
    let mut letters = stack.letters.with_ids(&[id], LIMIT).await?;
    letters.pop().context("no letter")
}

pub(crate) fn without_gaps(hex: &str) -> String {
    hex.replace(' ', "").to_lowercase()
}
