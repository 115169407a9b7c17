//! What the API answers.

use contracts::{Customer, Money, PricedLine};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::schema;
use crate::domain;

/// Order with its history.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Order {
    /// Id of the order, a UUIDv7: newer orders have greater ids.
    id: Uuid,
    /// Current status.
    status: Status,
    /// 1 for a new order; increases by one with every change of status.
    version: i32,
    /// Customer who placed the order.
    #[schema(schema_with = schema::of::<Customer>)]
    customer: Customer,
    /// Ordered products, at the prices of the moment when the order was placed.
    #[schema(schema_with = schema::of::<Vec<PricedLine>>)]
    lines: Vec<PricedLine>,
    /// Sum of the lines.
    #[schema(schema_with = schema::of::<Money>)]
    total: Money,
    /// Every status that the order has had, oldest first. The last one is the current status.
    history: Vec<Change>,
    /// When the order was placed.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// Status of an order.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// Accepted; the stock is not yet reserved.
    Pending,
    /// The stock is reserved; payment is awaited.
    Confirmed,
    /// The stock could not be reserved.
    Rejected,
    /// Paid in time.
    Paid,
    /// Cancelled by the customer or by the payment deadline.
    Cancelled,
}

/// Change of the status of an order.
#[derive(Debug, Serialize, ToSchema)]
struct Change {
    /// Status after the change.
    status: Status,
    /// Version after the change.
    version: i32,
    /// When the status changed.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Reason of a rejection or cancellation.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Product on sale.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Product {
    /// Stock keeping unit.
    #[schema(example = "PADDLE-CARBON")]
    sku: String,
    /// Name of the product.
    #[schema(example = "Carbon paddle")]
    name: String,
    /// Price of one piece.
    #[schema(schema_with = schema::of::<Money>)]
    price: Money,
}

impl From<domain::Order> for Order {
    fn from(order: domain::Order) -> Self {
        Self {
            id: order.id,
            status: order.status.into(),
            version: order.version,
            customer: order.customer,
            lines: order.lines,
            total: order.total,
            history: order.history.into_iter().map(Change::from).collect(),
            created_at: order.created_at,
        }
    }
}

impl From<domain::Change> for Change {
    fn from(change: domain::Change) -> Self {
        Self {
            status: change.status.into(),
            version: change.version,
            at: change.at,
            reason: change.reason,
        }
    }
}

impl From<domain::Status> for Status {
    fn from(status: domain::Status) -> Self {
        match status {
            domain::Status::Pending => Self::Pending,
            domain::Status::Confirmed => Self::Confirmed,
            domain::Status::Rejected => Self::Rejected,
            domain::Status::Paid => Self::Paid,
            domain::Status::Cancelled => Self::Cancelled,
        }
    }
}

impl From<Status> for domain::Status {
    fn from(status: Status) -> Self {
        match status {
            Status::Pending => Self::Pending,
            Status::Confirmed => Self::Confirmed,
            Status::Rejected => Self::Rejected,
            Status::Paid => Self::Paid,
            Status::Cancelled => Self::Cancelled,
        }
    }
}

impl From<domain::Product> for Product {
    fn from(product: domain::Product) -> Self {
        Self {
            sku: product.sku,
            name: product.name,
            price: product.price,
        }
    }
}
