//! What the API answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::statistics::Point;
use crate::store;

mod job;
mod letter;
mod span;

pub(super) use job::JobLetter;
pub(super) use letter::Letter;
pub(super) use span::Span;

/// Status of an order.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Status {
    Pending,
    Confirmed,
    Rejected,
    Paid,
    Cancelled,
}

impl Status {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
            Self::Paid => "paid",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What is known of an order.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Order {
    /// Its id.
    id: Uuid,
    /// Its status.
    status: String,
    /// How many facts have made it what it is.
    version: i32,
    /// Address of the customer.
    email: String,
    /// `standard` or `vip`.
    tier: String,
    /// What it costs, in cents.
    total_cents: i64,
    /// In which currency.
    currency: String,
    /// When it was placed; null while that was not read.
    #[schema(value_type = Option<String>, format = DateTime)]
    placed_at: Option<Timestamp>,
    /// When it became what it is.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
}

impl From<store::Order> for Order {
    fn from(order: store::Order) -> Self {
        Self {
            id: order.id,
            status: order.status,
            version: order.version,
            email: order.email,
            tier: order.tier,
            total_cents: order.total_cents,
            currency: order.currency,
            placed_at: order.placed_at,
            changed_at: order.changed_at,
        }
    }
}

/// A record of a topic about an order.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Fact {
    /// Its CloudEvents type.
    #[serde(rename = "type")]
    message_type: String,
    /// Where it is.
    topic: String,
    /// Number of its partition.
    partition: i32,
    /// Its number there.
    offset: i64,
    /// When it was written, by the clock of its producer.
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    /// When the console has read it.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    /// The version of the order that it made, if it did.
    version: Option<i32>,
    /// Why, where it says so.
    reason: Option<String>,
}

impl From<store::Fact> for Fact {
    fn from(fact: store::Fact) -> Self {
        Self {
            message_type: fact.message_type,
            topic: fact.topic,
            partition: fact.partition,
            offset: fact.offset,
            time: fact.time,
            recorded_at: fact.recorded_at,
            version: fact.version,
            reason: fact.reason,
        }
    }
}

/// What the topics say about one product.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StockLevel {
    /// Stock keeping unit.
    sku: String,
    /// Name of the product; null while that was not read.
    name: Option<String>,
    /// Price of one piece, in cents.
    price_cents: Option<i64>,
    /// In which currency.
    currency: Option<String>,
    /// Pieces that can be reserved.
    available: Option<i64>,
    /// Pieces reserved for orders that are not yet paid.
    reserved: Option<i64>,
    /// Pieces that were sold.
    sold: Option<i64>,
    /// Rises with every change.
    version: i64,
    /// When the level was reached.
    #[schema(value_type = Option<String>, format = DateTime)]
    changed_at: Option<Timestamp>,
}

impl From<store::Stock> for StockLevel {
    fn from(stock: store::Stock) -> Self {
        Self {
            sku: stock.sku,
            name: stock.name,
            price_cents: stock.price_cents,
            currency: stock.currency,
            available: stock.available,
            reserved: stock.reserved,
            sold: stock.sold,
            version: stock.version,
            changed_at: stock.changed_at,
        }
    }
}

/// The last minutes of a queue: columns of equal length, one entry a second.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct History {
    /// Name of the queue.
    queue: String,
    /// When, in seconds since 1970.
    at: Vec<f64>,
    /// How many messages had ever arrived.
    arrived: Vec<u64>,
    /// How many of them had left.
    departed: Vec<u64>,
    /// How many waited.
    depth: Vec<Option<u64>>,
    /// How long the oldest had been waiting, in seconds.
    age_s: Vec<Option<f64>>,
    /// How many came per second.
    in_per_s: Vec<Option<f64>>,
    /// How many left per second.
    out_per_s: Vec<Option<f64>>,
    /// How many instances its service had.
    instances: Vec<Option<u64>>,
}

impl History {
    pub(super) fn new(queue: String) -> Self {
        Self {
            queue,
            ..Self::default()
        }
    }

    pub(super) fn push(&mut self, at: Timestamp, point: &Point) {
        self.at.push(at.as_millisecond() as f64 / 1_000.0);
        self.arrived.push(point.arrived);
        self.departed.push(point.departed);
        self.depth.push(point.depth);
        self.age_s.push(point.age);
        self.in_per_s.push(point.arriving);
        self.out_per_s.push(point.leaving);
        self.instances.push(point.instances);
    }
}
