//! Whom to tell what, and in which words.

use contracts::{Channel, Money, OrderEvent, OrderEventName, PricedLine, SendNotification, Tier};

/// The channels over which a customer learns of an event, each with the recipient.
///
/// A push message comes with every event, an e-mail with every outcome, and a text message as well
/// for a customer of tier `vip` who left a number.
pub fn channels(event: &OrderEvent) -> impl Iterator<Item = (Channel, &str)> {
    let customer = &event.order().customer;
    let address = customer.email.as_str();
    let is_outcome = event.name() != OrderEventName::OrderPlaced;
    let is_vip = customer.tier == Tier::Vip;
    let number = customer.phone.as_deref().filter(|_| is_outcome && is_vip);
    let email = is_outcome.then_some((Channel::Email, address));
    let sms = number.map(|number| (Channel::Sms, number));
    // The application on the customer's devices is signed in with the e-mail address.
    let push = Some((Channel::Push, address));
    [email, sms, push].into_iter().flatten()
}

/// One line that says it all: the subject of an e-mail, the text of a short message.
#[must_use]
pub fn headline(task: &SendNotification) -> String {
    let id = task.order.id.simple().to_string();
    // The first digits of the id are the time, which many orders share.
    let number = id.get(24..).unwrap_or_default();
    let state = match task.event {
        OrderEventName::OrderPlaced => "has arrived",
        OrderEventName::OrderConfirmed => "is confirmed",
        OrderEventName::OrderRejected => "cannot be delivered",
        OrderEventName::OrderPaid => "is paid",
        OrderEventName::OrderCancelled => "is cancelled",
    };
    format!("Your order {number} {state}")
}

/// What it means for the customer.
#[must_use]
pub fn message(event: OrderEventName) -> &'static str {
    match event {
        OrderEventName::OrderPlaced => {
            "Thank you for your order. We are looking whether everything is in stock."
        }
        OrderEventName::OrderConfirmed => {
            "Everything is set aside for you. We send it as soon as it is paid."
        }
        OrderEventName::OrderRejected => {
            "We are sorry: we cannot deliver this order. You have nothing to pay."
        }
        OrderEventName::OrderPaid => "Thank you for your payment. Your order is on its way.",
        OrderEventName::OrderCancelled => "Your order is cancelled. You have nothing to pay.",
    }
}

/// An amount for people: `1234.50 EUR`.
#[must_use]
pub fn amount(Money { cents, currency }: &Money) -> String {
    format!("{}.{:02} {currency}", cents / 100, cents % 100)
}

/// The price of all pieces of a line.
#[must_use]
pub fn sum(line: &PricedLine) -> Money {
    Money {
        cents: line.unit_price.cents.saturating_mul(line.quantity),
        currency: line.unit_price.currency.clone(),
    }
}
