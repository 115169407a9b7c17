//! Who is told what.

use contracts::{
    Channel, OrderCancelled, OrderConfirmed, OrderEvent, OrderPaid, OrderPlaced, OrderRejected,
    Tier,
};
use notification::domain::{channels, headline};

#[expect(dead_code, reason = "each test file uses its own part of it")]
mod support;
use support::order;

#[test]
fn a_placed_order_is_pushed_and_no_more() {
    for tier in [Tier::Standard, Tier::Vip] {
        let event = OrderPlaced { order: order(tier) }.into();
        assert_eq!(told(&event), [Channel::Push]);
    }
}

#[test]
fn every_outcome_is_told_by_email_and_push() {
    for event in outcomes(Tier::Standard) {
        assert_eq!(told(&event), [Channel::Email, Channel::Push]);
    }
}

#[test]
fn a_vip_gets_a_text_message_as_well() {
    for event in outcomes(Tier::Vip) {
        assert_eq!(told(&event), [Channel::Email, Channel::Sms, Channel::Push]);
    }
}

#[test]
fn a_vip_without_a_number_gets_no_text_message() {
    let mut order = order(Tier::Vip);
    order.customer.phone = None;
    assert_eq!(
        told(&OrderPaid { order }.into()),
        [Channel::Email, Channel::Push]
    );
}

#[test]
fn each_channel_has_its_own_recipient() {
    let event = OrderPaid {
        order: order(Tier::Vip),
    }
    .into();
    let recipients: Vec<_> = channels(&event).map(|(_, recipient)| recipient).collect();
    assert_eq!(
        recipients,
        ["ada@example.com", "+4930123456", "ada@example.com"]
    );
}

#[test]
fn each_event_has_its_own_headline() {
    use contracts::OrderEventName::*;
    let headlines = [
        OrderPlaced,
        OrderConfirmed,
        OrderRejected,
        OrderPaid,
        OrderCancelled,
    ]
    .map(|event| headline(&support::task(Channel::Sms, event)));
    assert_eq!(
        headlines,
        [
            "Your order 0000cafe has arrived",
            "Your order 0000cafe is confirmed",
            "Your order 0000cafe cannot be delivered",
            "Your order 0000cafe is paid",
            "Your order 0000cafe is cancelled",
        ]
    );
}

fn told(event: &OrderEvent) -> Vec<Channel> {
    channels(event).map(|(channel, _)| channel).collect()
}

fn outcomes(tier: Tier) -> [OrderEvent; 4] {
    let (order, reason) = (order(tier), "it had to be".to_owned());
    [
        OrderConfirmed {
            order: order.clone(),
        }
        .into(),
        OrderRejected {
            order: order.clone(),
            reason: reason.clone(),
        }
        .into(),
        OrderPaid {
            order: order.clone(),
        }
        .into(),
        OrderCancelled { order, reason }.into(),
    ]
}
