//! The rules of an order, without I/O: what it costs and what may happen to it.
//!
//! ```text
//! pending ──> confirmed ──> paid
//!    │  └────────┬────────> cancelled
//!    └──> rejected
//! ```

use contracts::{Customer, Line, Money, PricedLine};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

mod price;
pub use price::{PriceError, PriceList, Product};

/// An order and all that has happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// UUIDv7, so that ids grow with time.
    pub id: Uuid,
    /// Where it stands.
    pub status: Status,
    /// 1 when placed, one more with every change of status.
    pub version: i32,
    /// Whom it belongs to.
    pub customer: Customer,
    /// What was ordered, at the prices of that moment.
    pub lines: Vec<PricedLine>,
    /// Sum of the lines.
    pub total: Money,
    /// Every status the order has had, oldest first; the last one is the present one.
    pub history: Vec<Change>,
    /// When it was placed.
    pub created_at: Timestamp,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Accepted; its stock is not yet reserved.
    Pending,
    /// Its stock is reserved; payment is awaited.
    Confirmed,
    /// Its stock could not be reserved.
    Rejected,
    /// Paid in time.
    Paid,
    /// Ended by the customer or by the payment deadline.
    Cancelled,
}

/// One entry of an order's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The status from then on.
    pub status: Status,
    /// The version from then on.
    pub version: i32,
    /// When it happened.
    pub at: Timestamp,
    /// Why, where there is something to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Until when it is to be paid, where it waits for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_by: Option<Timestamp>,
}

/// What can happen to an order after it was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The stock is set aside, until then if it is not paid.
    StockReserved {
        /// When the time to pay is over.
        pay_by: Timestamp,
    },
    /// The stock is short, for this reason.
    StockRefused(String),
    /// The customer pays.
    Payment,
    /// The customer no longer wants it.
    Cancellation,
    /// The time to pay is over.
    DeadlinePassed,
}

/// What an event did to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The order has a new status and version.
    Changed,
    /// The order stays as it was: the event is a repetition or came too late.
    Unchanged,
    /// The order stays as it was, and whoever asked must be told that it cannot be done.
    Conflict,
}

impl Order {
    /// A new order at today's prices.
    pub fn place(
        id: Uuid,
        customer: Customer,
        lines: &[Line],
        prices: &PriceList,
        now: Timestamp,
    ) -> Result<Self, PriceError> {
        let lines = price::priced(lines, prices)?;
        let total = price::total(&lines)?;
        let placed = Change {
            status: Status::Pending,
            version: 1,
            at: now,
            reason: None,
            pay_by: None,
        };
        Ok(Self {
            id,
            status: placed.status,
            version: placed.version,
            customer,
            lines,
            total,
            history: vec![placed],
            created_at: now,
        })
    }

    /// Lets an event happen.
    pub fn apply(&mut self, event: Event, now: Timestamp) -> Outcome {
        let status = match self.status.after(&event) {
            Next::Status(status) => status,
            Next::Stay => return Outcome::Unchanged,
            Next::Conflict => return Outcome::Conflict,
        };
        self.status = status;
        self.version += 1;
        self.history.push(Change {
            status,
            version: self.version,
            at: now,
            pay_by: event.pay_by(),
            reason: event.reason(),
        });
        Outcome::Changed
    }

    /// Why the order has its present status.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.history.last()?.reason.as_deref()
    }
}

enum Next {
    Status(Status),
    Stay,
    Conflict,
}

impl Status {
    /// The name in JSON and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
            Self::Paid => "paid",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::Pending,
            Self::Confirmed,
            Self::Rejected,
            Self::Paid,
            Self::Cancelled,
        ]
        .into_iter()
        .find(|status| status.as_str() == name)
    }

    /// Whether nothing can happen to the order any more.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Rejected | Self::Paid | Self::Cancelled)
    }

    fn after(self, event: &Event) -> Next {
        match (event, self) {
            (Event::StockReserved { .. }, Self::Pending) => Next::Status(Self::Confirmed),
            (Event::StockRefused(_), Self::Pending) => Next::Status(Self::Rejected),
            (Event::Payment, Self::Confirmed) => Next::Status(Self::Paid),
            (Event::Cancellation | Event::DeadlinePassed, Self::Pending | Self::Confirmed) => {
                Next::Status(Self::Cancelled)
            }
            // Nobody waits for an answer to these: the order has moved on without them.
            (Event::StockReserved { .. } | Event::StockRefused(_) | Event::DeadlinePassed, _) => {
                Next::Stay
            }
            (Event::Payment, Self::Paid) | (Event::Cancellation, Self::Cancelled) => Next::Stay,
            (Event::Payment | Event::Cancellation, _) => Next::Conflict,
        }
    }
}

impl Event {
    fn pay_by(&self) -> Option<Timestamp> {
        match self {
            Self::StockReserved { pay_by } => Some(*pay_by),
            _ => None,
        }
    }

    fn reason(self) -> Option<String> {
        match self {
            Self::StockReserved { .. } | Self::Payment => None,
            Self::StockRefused(reason) => Some(reason),
            Self::Cancellation => Some("cancelled by the customer".to_owned()),
            Self::DeadlinePassed => Some("not paid in time".to_owned()),
        }
    }
}
