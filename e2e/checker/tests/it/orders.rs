//! Promises about orders.

use checker::Class::{Contradiction, Duplicated, Lost, Unexpected};
use checker::Observed;
use checker::Promise::{AnsweredIsDone, OneOrderPerKey, OneState};
use uuid::Uuid;

use crate::found_after;
use crate::healthy::PAID;

#[test]
fn two_orders_of_one_attempt_are_a_duplicate() {
    let found = found_after(|o| {
        let other = o.answered.attempts.pop().unwrap();
        let email = o.answered.attempts[PAID].email.clone();
        let order = o
            .orders
            .iter_mut()
            .find(|order| order.email == other.email)
            .unwrap();
        order.email.clone_from(&email);
        for one in o
            .notifications
            .iter_mut()
            .filter(|one| one.order_id == order.id)
        {
            one.recipient.clone_from(&email);
        }
    });
    assert_eq!(found, [(OneOrderPerKey, Duplicated)]);
}

#[test]
fn two_answers_for_one_key_are_a_duplicate() {
    let found = found_after(|o| o.answered.attempts[PAID].accepted.push(Uuid::now_v7()));
    assert_eq!(
        found,
        [(AnsweredIsDone, Lost), (OneOrderPerKey, Duplicated)]
    );
}

#[test]
fn an_order_that_never_leaves_pending_has_no_state_to_rest_in() {
    let found = found_after(|o| set_status(o, PAID, "pending"));
    assert!(found.contains(&(OneState, Contradiction)), "{found:?}");
}

#[test]
fn an_order_that_has_missed_its_payment_deadline_is_lost() {
    let found = found_after(|o| o.deadlines_have_passed = true);
    assert_eq!(found, [(OneState, Lost)]);
}

#[test]
fn a_history_with_a_gap_is_a_contradiction() {
    let found = found_after(|o| {
        o.orders[PAID].history[2].version = 4;
        o.orders[PAID].version = 4;
        o.listed[PAID].version = 4;
        let events = o.order_events.iter_mut();
        events
            .filter(|one| one.version == 3)
            .take(1)
            .for_each(|one| one.version = 4);
    });
    assert_eq!(found, [(OneState, Contradiction)]);
}

#[test]
fn a_state_after_a_terminal_one_is_a_contradiction() {
    let found = found_after(|o| {
        o.answered.attempts[PAID].paid = false;
        o.orders[PAID].history.swap(1, 2);
    });
    assert!(found.contains(&(OneState, Contradiction)), "{found:?}");
}

#[test]
fn an_api_that_shows_another_state_is_a_contradiction() {
    let found = found_after(|o| o.listed[PAID].status = "confirmed".to_owned());
    assert_eq!(found, [(OneState, Contradiction)]);
}

#[test]
fn an_order_that_the_api_does_not_list_is_lost() {
    let found = found_after(|o| _ = o.listed.pop());
    assert_eq!(found, [(OneState, Lost)]);
}

#[test]
fn an_order_that_is_listed_twice_is_unexpected() {
    let found = found_after(|o| o.listed.push(o.listed[PAID].clone()));
    assert_eq!(found, [(OneState, Unexpected)]);
}

fn set_status(o: &mut Observed, index: usize, status: &str) {
    o.orders[index].status = status.to_owned();
    o.listed[index].status = status.to_owned();
}
