//! Orders, products and messages to try things with.

use contracts::{
    Customer, Line, Money, ProductListed, StockEvent, StockRefused, StockReserved, Tier,
};
use order::{
    domain::{Order, PriceList, Product},
    store::{self, Idempotency, NewOrder},
};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const TEA: &str = "TEA-001";
pub(crate) const POT: &str = "POT-001";

pub(crate) fn one_tea() -> Value {
    json!({"customer": {"email": "ada@example.org"}, "lines": [{"sku": TEA, "quantity": 1}]})
}

pub(crate) fn listing(sku: &str, cents: i64) -> ProductListed {
    ProductListed {
        sku: sku.to_owned(),
        name: format!("Product {sku}"),
        price: euros(cents),
    }
}

pub(crate) fn euros(cents: i64) -> Money {
    Money {
        cents,
        currency: "EUR".to_owned(),
    }
}

pub(crate) fn reserved(order_id: Uuid) -> StockEvent {
    StockEvent::StockReserved(StockReserved { order_id })
}

pub(crate) fn refused(order_id: Uuid) -> StockEvent {
    StockEvent::StockRefused(StockRefused {
        order_id,
        reason: "only 3 left".to_owned(),
    })
}

/// A new order for two pots, which nobody has stored.
pub(crate) fn new_order(key: Option<&str>) -> NewOrder {
    let product = Product {
        sku: POT.to_owned(),
        name: "Pot".to_owned(),
        price: euros(2_900),
    };
    let prices = PriceList::from([(POT.to_owned(), product)]);
    let customer = Customer {
        email: "bo@example.org".to_owned(),
        phone: Some("+4930123456".to_owned()),
        tier: Tier::Vip,
    };
    let lines = [Line {
        sku: POT.to_owned(),
        quantity: 2,
    }];
    let order = Order::place(Uuid::now_v7(), customer, &lines, &prices, store::now());
    let idempotency = key.map(|key| Idempotency {
        key: key.to_owned(),
        request_hash: vec![1; 32],
    });
    NewOrder {
        order: order.unwrap_or_else(|error| unreachable!("{error}")),
        idempotency,
    }
}
