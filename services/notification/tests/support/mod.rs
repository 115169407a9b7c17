//! What the tests of this service share.

use anyhow::Result;
use contracts::{
    Channel, Customer, Money, Order, OrderEventName, PricedLine, SendNotification, Tier,
};
use lettre::message::Mailbox;
use uuid::{Uuid, uuid};

pub(crate) mod smtp_server;

pub(crate) const ORDER: Uuid = uuid!("019a0000-0000-7000-8000-00000000cafe");

/// An order of two lines by a customer of this tier, who can be reached over every channel.
pub(crate) fn order(tier: Tier) -> Order {
    let line = |sku: &str, name: &str, quantity, cents| PricedLine {
        sku: sku.to_owned(),
        name: name.to_owned(),
        quantity,
        unit_price: euros(cents),
    };
    Order {
        id: ORDER,
        version: 2,
        customer: Customer {
            email: "ada@example.com".to_owned(),
            phone: Some("+4930123456".to_owned()),
            tier,
        },
        lines: vec![
            line("ROPE-THROW", "Throw rope, 20 m", 2, 3_490),
            line("GATE-WHEEL", "Wheel <brass> & co", 1, 189_005),
        ],
        total: euros(195_985),
    }
}

pub(crate) fn task(channel: Channel, event: OrderEventName) -> SendNotification {
    SendNotification {
        notification_id: Uuid::now_v7(),
        channel,
        event,
        order: order(Tier::Vip),
        reason: None,
    }
}

/// Who writes e-mail in tests.
pub(crate) fn sender() -> Result<Mailbox> {
    Ok("Spillway <orders@spillway.example>".parse()?)
}

fn euros(cents: i64) -> Money {
    Money {
        cents,
        currency: "EUR".to_owned(),
    }
}
