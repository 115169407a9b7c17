//! The HTTP API on a real database: every answer that the documentation promises.

mod admin;
mod deciding;
mod documented;
mod flood;
mod idempotency;
mod placing;
mod reading;
mod refusing;
mod shedding;
#[path = "../support/mod.rs"]
mod support;

use serde_json::{Value, json};

use support::{POT, TEA};

fn tea_and_pot() -> Value {
    json!({
        "customer": {"email": "ada@example.org", "phone": "+4930123456", "tier": "vip"},
        "lines": [{"sku": TEA, "quantity": 2}, {"sku": POT, "quantity": 1}],
    })
}

fn order_with(pointer: &str, value: Value) -> Value {
    let mut order = tea_and_pot();
    if let Some(field) = order.pointer_mut(pointer) {
        *field = value;
    }
    order
}

/// An address of so many bytes, of which neither the name nor the domain is too long.
fn address_of_length(bytes: usize) -> String {
    let domain = format!("{}example.org", "x.".repeat(95));
    format!("{}@{domain}", "a".repeat(bytes - 1 - domain.len()))
}
