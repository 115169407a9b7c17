//! What the services have in their databases and say over HTTP, and what left them as e-mail.

use uuid::Uuid;

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the API documents its fields")]
pub struct Order {
    pub id: Uuid,
    pub status: String,
    pub version: i32,
    pub history: Vec<Step>,
    pub email: String,
    pub phone: Option<String>,
    pub is_vip: bool,
    pub lines: Vec<Line>,
}

/// An entry of an order's history.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[expect(missing_docs, reason = "the API documents its fields")]
pub struct Step {
    pub status: String,
    pub version: i32,
}

/// A product and how many pieces of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[expect(missing_docs, reason = "says it all")]
pub struct Line {
    pub sku: String,
    pub quantity: i64,
}

impl Line {
    /// The lines in an order of their own, so that they can be compared.
    pub(crate) fn sorted(lines: &[Self]) -> Vec<&Self> {
        let mut lines: Vec<_> = lines.iter().collect();
        lines.sort_unstable();
        lines
    }
}

/// An order as the API lists it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[expect(missing_docs, reason = "the API documents its fields")]
pub struct Listed {
    pub id: Uuid,
    pub status: String,
    pub version: i32,
}

/// The stock of one product with where it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table documents its columns")]
pub struct Stock {
    pub level: Level,
    pub initial: i64,
    pub restocked: i64,
}

/// The stock of one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[expect(missing_docs, reason = "the contract documents its fields")]
pub struct Level {
    pub available: i64,
    pub reserved: i64,
    pub sold: i64,
    pub version: i64,
}

/// What was decided about the stock for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table documents its columns")]
pub struct Reservation {
    pub order_id: Uuid,
    pub status: String,
    pub lines: Vec<Line>,
}

/// A delivery as `inventory` booked it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table documents its columns")]
pub struct Restock {
    pub key: Option<String>,
    pub sku: String,
    pub quantity: i64,
}

/// One thing that a customer was told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table documents its columns")]
pub struct Notification {
    pub id: Uuid,
    pub order_id: Uuid,
    pub event: String,
    pub channel: String,
    pub recipient: String,
    pub deliveries: i32,
}

/// What an order's customer was told, as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The order.
    pub order_id: Uuid,
    /// Event and channel of every notification, sorted.
    pub told: Vec<(String, String)>,
}

/// An e-mail that the mail server took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// The `Message-ID`.
    pub message_id: String,
}

/// A message that a handler has taken effect for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handled {
    /// The handler, one of those of [`CONSUMERS`](crate::CONSUMERS).
    pub handler: &'static str,
    /// The message.
    pub message_id: Uuid,
    /// When the effect was committed, in microseconds.
    pub committed_at: i64,
}
