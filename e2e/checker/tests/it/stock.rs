//! Promises about stock.

use checker::Class::{Contradiction, Duplicated, Lost, Unexpected};
use checker::Promise::{AnsweredIsDone, OneReservation, OneState, StockAddsUp};
use checker::{Level, Mended, Observed, Reservation, check};
use uuid::Uuid;

use crate::found_after;
use crate::healthy::{CANCELLED, PAID, REJECTED, SKU, healthy};

#[test]
fn a_cancelled_order_that_keeps_its_stock_is_a_contradiction() {
    let found = found_after(|o| {
        o.reservations[CANCELLED].status = "reserved".to_owned();
        move_pieces(o, |level| (level.available, level.reserved) = (99, 4));
    });
    assert_eq!(found, [(OneState, Contradiction)]);
}

#[test]
fn a_second_reservation_of_an_order_is_a_duplicate() {
    let found = found_after(|o| o.reservations.push(o.reservations[CANCELLED].clone()));
    assert_eq!(found, [(OneReservation, Duplicated)]);
}

#[test]
fn a_second_answer_about_the_stock_of_an_order_is_a_duplicate() {
    let found = found_after(|o| {
        let id = Uuid::now_v7();
        let first = o
            .handled
            .iter()
            .find(|one| one.message_id == o.stock_events[PAID].id);
        let mut handled = first.unwrap().clone();
        handled.message_id = id;
        o.handled.push(handled);
        let mut again = o.stock_events[PAID].clone();
        again.id = id;
        o.stock_events.push(again);
    });
    assert_eq!(found, [(OneReservation, Duplicated)]);
}

#[test]
fn an_order_without_a_decision_about_its_stock_is_lost() {
    let found = found_after(|o| _ = o.reservations.remove(CANCELLED));
    assert_eq!(found, [(OneReservation, Lost)]);
}

#[test]
fn an_order_without_an_answer_about_its_stock_is_lost() {
    let found = found_after(|o| _ = o.stock_events.remove(CANCELLED));
    assert_eq!(found, [(OneReservation, Lost)]);
}

#[test]
fn a_reservation_of_an_unknown_order_is_unexpected() {
    let found = found_after(|o| {
        let mut stray = o.reservations[CANCELLED].clone();
        stray.order_id = Uuid::now_v7();
        o.reservations.push(stray);
    });
    assert_eq!(found, [(OneReservation, Unexpected)]);
}

#[test]
fn poison_that_was_mended_has_its_effect() {
    for (status, expected) in [
        (Some("released"), vec![]),
        (Some("reserved"), vec![(OneReservation, Contradiction)]),
        (None, vec![(OneReservation, Lost)]),
    ] {
        let found = found_after(|o| {
            let order_id = Uuid::now_v7();
            o.reservations.extend(status.map(|status| Reservation {
                order_id,
                status: status.to_owned(),
                lines: Vec::new(),
            }));
            o.mended.push(Mended {
                message_id: "poison".to_owned(),
                order_id,
            });
        });
        assert_eq!(found, expected, "{status:?}");
    }
}

#[test]
fn a_reservation_of_other_lines_is_a_contradiction() {
    let found = found_after(|o| {
        o.orders[PAID].lines[0].quantity = 3;
        o.answered.attempts[PAID].lines[0].quantity = 3;
    });
    assert_eq!(found, [(OneReservation, Contradiction)]);
}

#[test]
fn an_order_that_was_rejected_although_there_is_enough_is_unexpected() {
    let found = found_after(|o| {
        o.orders[REJECTED].lines[0].quantity = 2;
        o.answered.attempts[REJECTED].lines[0].quantity = 2;
    });
    assert_eq!(found, [(OneReservation, Unexpected)]);
}

#[test]
fn a_rejection_is_right_when_there_was_not_enough_for_everybody() {
    // Enough for this order and not for all of them.
    let found = found_after(|o| {
        o.orders[REJECTED].lines[0].quantity = 98;
        o.answered.attempts[REJECTED].lines[0].quantity = 98;
    });
    assert_eq!(found, []);
}

#[test]
fn a_piece_that_vanishes_does_not_add_up() {
    let found = found_after(|o| move_pieces(o, |level| level.available -= 1));
    assert_eq!(found, [(StockAddsUp, Contradiction)]);
}

#[test]
fn negative_stock_does_not_add_up() {
    let found = found_after(|o| {
        o.stock.get_mut(SKU).unwrap().initial -= 102;
        move_pieces(o, |level| level.available -= 102);
    });
    assert_eq!(found, [(StockAddsUp, Contradiction)]);
}

#[test]
fn pieces_that_no_reservation_holds_do_not_add_up() {
    let found = found_after(|o| {
        move_pieces(o, |level| (level.available, level.reserved) = (100, 3));
    });
    assert_eq!(found, [(StockAddsUp, Contradiction)]);
}

#[test]
fn a_topic_that_ends_with_another_level_is_a_contradiction() {
    let found = found_after(|o| _ = o.levels.pop());
    assert_eq!(found, [(StockAddsUp, Contradiction)]);
}

#[test]
fn a_late_copy_of_a_level_is_only_counted() {
    let mut observed = healthy();
    observed.levels.push(observed.levels[0].clone());
    let verdict = check(&observed);
    assert!(verdict.is_kept(), "{:?}", verdict.violations);
    assert_eq!(verdict.repeated_records, 1);
}

#[test]
fn an_api_that_shows_another_level_is_a_contradiction() {
    let found = found_after(|o| o.shown.get_mut(SKU).unwrap().sold += 1);
    assert_eq!(found, [(StockAddsUp, Contradiction)]);
}

#[test]
fn a_delivery_that_was_answered_and_not_booked_is_lost() {
    let found = found_after(|o| {
        o.restocks.clear();
        o.stock.get_mut(SKU).unwrap().restocked = 0;
        move_pieces(o, |level| level.available -= 5);
    });
    assert_eq!(found, [(AnsweredIsDone, Lost)]);
}

#[test]
fn a_delivery_that_was_booked_twice_is_a_duplicate() {
    let found = found_after(|o| {
        o.restocks.push(o.restocks[0].clone());
        o.stock.get_mut(SKU).unwrap().restocked = 10;
        move_pieces(o, |level| level.available += 5);
    });
    assert_eq!(found, [(StockAddsUp, Duplicated)]);
}

#[test]
fn a_delivery_that_nobody_reported_is_unexpected() {
    let found = found_after(|o| o.answered.restocked.clear());
    assert_eq!(found, [(StockAddsUp, Unexpected)]);
}

#[test]
fn a_delivery_that_was_booked_for_another_product_is_a_contradiction() {
    let found = found_after(|o| o.answered.restocked[0].sku = "GATE-WHEEL".to_owned());
    assert_eq!(found, [(StockAddsUp, Contradiction)]);
}

#[test]
fn a_delivery_that_did_not_reach_the_stock_is_a_contradiction() {
    let found = found_after(|o| o.restocks[0].quantity = 6);
    assert_eq!(found, [(StockAddsUp, Contradiction)]);
}

/// Changes the level wherever it can be seen.
fn move_pieces(o: &mut Observed, step: impl FnOnce(&mut Level)) {
    let stock = o.stock.get_mut(SKU).unwrap();
    step(&mut stock.level);
    o.shown.insert(SKU.to_owned(), stock.level);
    o.levels.last_mut().unwrap().1 = stock.level;
}
