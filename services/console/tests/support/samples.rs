//! Orders and events to try things with.

use console::store;
use contracts::{
    Customer, Money, OrderCancelled, OrderConfirmed, OrderEvent, OrderPaid, OrderPlaced,
    OrderRejected, Tier,
};
use jiff::Timestamp;
use uuid::Uuid;

pub(crate) const EMAIL: &str = "ada@example.org";

/// A pending order of Ada's, placed now.
pub(crate) fn order() -> store::Order {
    let now = now();
    store::Order {
        id: Uuid::now_v7(),
        version: 1,
        status: "pending".to_owned(),
        email: EMAIL.to_owned(),
        tier: "standard".to_owned(),
        total_cents: 450,
        currency: "EUR".to_owned(),
        placed_at: Some(now),
        decided_at: None,
        changed_at: now,
    }
}

/// As exactly as PostgreSQL keeps it.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_microsecond(Timestamp::now().as_microsecond()).unwrap_or_default()
}

pub(crate) fn placed(id: Uuid) -> OrderEvent {
    let order = contents(id, 1);
    OrderPlaced { order }.into()
}

pub(crate) fn confirmed(id: Uuid) -> OrderEvent {
    let order = contents(id, 2);
    OrderConfirmed { order }.into()
}

pub(crate) fn rejected(id: Uuid, reason: &str) -> OrderEvent {
    let (order, reason) = (contents(id, 2), reason.to_owned());
    OrderRejected { order, reason }.into()
}

pub(crate) fn paid(id: Uuid) -> OrderEvent {
    let order = contents(id, 3);
    OrderPaid { order }.into()
}

pub(crate) fn cancelled(id: Uuid) -> OrderEvent {
    let (order, reason) = (contents(id, 3), "not paid in time".to_owned());
    OrderCancelled { order, reason }.into()
}

fn contents(id: Uuid, version: i32) -> contracts::Order {
    contracts::Order {
        id,
        version,
        customer: Customer {
            email: EMAIL.to_owned(),
            phone: None,
            tier: Tier::Standard,
        },
        lines: Vec::new(),
        total: Money {
            cents: 450,
            currency: "EUR".to_owned(),
        },
    }
}
