//! Properties of the rules of an order.

#![expect(clippy::unwrap_used, reason = "a failed test may panic")]

use contracts::{Customer, Line, Money, Tier};
use jiff::Timestamp;
use order::domain::{Event, Order, Outcome, PriceError, PriceList, Product, Status};
use proptest::prelude::*;
use uuid::Uuid;

const RESERVED: Event = Event::StockReserved {
    pay_by: Timestamp::UNIX_EPOCH,
};

fn price_list(cents: &[i64]) -> PriceList {
    let product = |(index, cents): (usize, &i64)| {
        let sku = format!("SKU-{index}");
        let price = Money {
            cents: *cents,
            currency: "EUR".to_owned(),
        };
        (
            sku.clone(),
            Product {
                sku,
                name: format!("Product {index}"),
                price,
            },
        )
    };
    cents.iter().enumerate().map(product).collect()
}

fn lines(quantities: &[i64]) -> Vec<Line> {
    let line = |(index, quantity): (usize, &i64)| Line {
        sku: format!("SKU-{index}"),
        quantity: *quantity,
    };
    quantities.iter().enumerate().map(line).collect()
}

fn place(prices: &PriceList, quantities: &[i64]) -> Result<Order, PriceError> {
    let customer = Customer {
        email: "ada@example.org".to_owned(),
        phone: None,
        tier: Tier::Standard,
    };
    Order::place(
        Uuid::now_v7(),
        customer,
        &lines(quantities),
        prices,
        Timestamp::now(),
    )
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(RESERVED),
        Just(Event::StockRefused("out of stock".to_owned())),
        Just(Event::Payment),
        Just(Event::Cancellation),
        Just(Event::DeadlinePassed),
    ]
}

proptest! {
    #[test]
    fn no_path_leaves_a_terminal_status(events in prop::collection::vec(event(), 0..12)) {
        let mut order = place(&price_list(&[100]), &[1]).unwrap();
        for event in events {
            let before = order.clone();
            let outcome = order.apply(event, Timestamp::now());
            if before.status.is_terminal() {
                prop_assert_ne!(outcome, Outcome::Changed);
                prop_assert_eq!(&order, &before);
            }
        }
    }

    #[test]
    fn versions_rise_by_exactly_one_with_each_change(events in prop::collection::vec(event(), 0..12)) {
        let mut order = place(&price_list(&[100]), &[1]).unwrap();
        for event in events {
            let before = order.clone();
            match order.apply(event, Timestamp::now()) {
                Outcome::Changed => {
                    prop_assert_eq!(order.version, before.version + 1);
                    prop_assert_ne!(order.status, before.status);
                }
                Outcome::Unchanged | Outcome::Conflict => prop_assert_eq!(&order, &before),
            }
            let versions: Vec<i32> = order.history.iter().map(|change| change.version).collect();
            prop_assert_eq!(versions, (1..=order.version).collect::<Vec<_>>());
            prop_assert_eq!(order.history.last().map(|change| change.status), Some(order.status));
        }
    }

    #[test]
    fn an_event_that_happens_twice_counts_once(events in prop::collection::vec(event(), 0..6), twice in event()) {
        let mut order = place(&price_list(&[100]), &[1]).unwrap();
        for event in events {
            order.apply(event, Timestamp::now());
        }
        order.apply(twice.clone(), Timestamp::now());
        let once = order.clone();
        prop_assert_ne!(order.apply(twice, Timestamp::now()), Outcome::Changed);
        prop_assert_eq!(order, once);
    }

    #[test]
    fn the_total_is_the_sum_of_the_lines(
        lines in prop::collection::vec((0..=1_000_000_000_i64, 1..=1000_i64), 1..=50),
    ) {
        let (cents, quantities): (Vec<i64>, Vec<i64>) = lines.into_iter().unzip();
        let order = place(&price_list(&cents), &quantities).unwrap();
        let sum: i128 = order.lines.iter().map(|line| i128::from(line.unit_price.cents) * i128::from(line.quantity)).sum();
        prop_assert_eq!(i128::from(order.total.cents), sum);
    }

    #[test]
    fn a_total_beyond_counting_is_an_error_and_not_an_overflow(
        cents in prop::collection::vec(i64::MAX / 20_000..=i64::MAX, 50),
    ) {
        prop_assert_eq!(place(&price_list(&cents), &[1000; 50]), Err(PriceError::TooLarge));
    }
}

#[test]
fn payment_and_deadline_have_one_winner_in_either_order() {
    let confirmed = || {
        let mut order = place(&price_list(&[100]), &[1]).unwrap();
        order.apply(RESERVED, Timestamp::now());
        order
    };

    let mut order = confirmed();
    assert_eq!(
        order.apply(Event::Payment, Timestamp::now()),
        Outcome::Changed
    );
    assert_eq!(
        order.apply(Event::DeadlinePassed, Timestamp::now()),
        Outcome::Unchanged
    );
    assert_eq!(order.status, Status::Paid);

    let mut order = confirmed();
    assert_eq!(
        order.apply(Event::DeadlinePassed, Timestamp::now()),
        Outcome::Changed
    );
    assert_eq!(
        order.apply(Event::Payment, Timestamp::now()),
        Outcome::Conflict
    );
    assert_eq!(order.status, Status::Cancelled);
    assert_eq!(order.reason(), Some("not paid in time"));
}

#[test]
fn an_order_that_is_not_confirmed_cannot_be_paid() {
    let mut order = place(&price_list(&[100]), &[1]).unwrap();
    assert_eq!(
        order.apply(Event::Payment, Timestamp::now()),
        Outcome::Conflict
    );
}

#[test]
fn an_unknown_sku_is_named_with_its_line() {
    let error = place(&price_list(&[100]), &[1, 1]).unwrap_err();
    assert_eq!(
        error,
        PriceError::UnknownSku {
            line: 1,
            sku: "SKU-1".to_owned()
        }
    );
}

#[test]
fn lines_of_different_currencies_cannot_be_added() {
    let mut prices = price_list(&[100, 200]);
    prices.get_mut("SKU-1").unwrap().price.currency = "USD".to_owned();
    assert_eq!(
        place(&prices, &[1, 1]),
        Err(PriceError::MixedCurrencies { line: 1 })
    );
}
