//! What clients asked for and were answered.

use uuid::Uuid;

use super::Line;

/// The clients' side of the story.
#[derive(Debug, Clone, Default)]
pub struct Answered {
    /// Every order that was ever asked for.
    pub attempts: Vec<Attempt>,
    /// Every delivery that was ever reported.
    pub restocked: Vec<Restocked>,
    /// Requests that were refused although what they asked for can be had, with the answer.
    pub refused: Vec<String>,
    /// Requests that were repeated until long after everything was healed, in vain.
    pub unanswered: Vec<String>,
}

/// One client that wanted one order, and asked for it once or, with a key, repeatedly.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attempt {
    /// Its e-mail address, which no other attempt has: by it an order without an answer is found.
    pub email: String,
    /// What it wants.
    pub lines: Vec<Line>,
    /// Whether it will ask for a cancellation.
    pub asks_to_cancel: bool,
    /// The ids that it was answered with 202; several only by a broken promise.
    pub accepted: Vec<Uuid>,
    /// Whether a payment was answered with 200.
    pub paid: bool,
    /// Whether a cancellation was answered with 200.
    pub cancelled: bool,
}

/// One delivery of pieces, reported under an idempotency key of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restocked {
    /// The key.
    pub key: String,
    /// The product.
    pub sku: String,
    /// The pieces.
    pub quantity: i64,
    /// Whether it was answered with 200.
    pub answered: bool,
}
