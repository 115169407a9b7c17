//! Promises about what clients were answered.

use checker::Class::{Contradiction, Lost, Unexpected};
use checker::Promise::{AnsweredIsDone, EverybodyIsAnswered};
use uuid::Uuid;

use crate::found_after;
use crate::healthy::{CANCELLED, PAID, REJECTED};

#[test]
fn an_answered_order_that_is_nowhere_is_lost() {
    let found = found_after(|o| o.answered.attempts[PAID].accepted = vec![Uuid::now_v7()]);
    assert!(found.contains(&(AnsweredIsDone, Lost)), "{found:?}");
}

#[test]
fn a_payment_that_was_answered_and_is_gone_is_lost() {
    let found = found_after(|o| o.answered.attempts[CANCELLED].paid = true);
    assert_eq!(found, [(AnsweredIsDone, Lost)]);
}

#[test]
fn a_cancellation_that_was_answered_and_is_gone_is_lost() {
    let found = found_after(|o| o.answered.attempts[PAID].cancelled = true);
    assert_eq!(found, [(AnsweredIsDone, Lost)]);
}

#[test]
fn an_order_that_nobody_placed_is_unexpected() {
    let found = found_after(|o| _ = o.answered.attempts.pop());
    assert_eq!(found, [(AnsweredIsDone, Unexpected)]);
}

#[test]
fn an_order_of_other_lines_than_wanted_is_a_contradiction() {
    let found = found_after(|o| o.answered.attempts[REJECTED].lines[0].quantity = 1);
    assert_eq!(found, [(AnsweredIsDone, Contradiction)]);
}

#[test]
fn an_order_without_an_answer_has_to_be_what_was_wanted_as_well() {
    let found = found_after(|o| {
        let attempt = o.answered.attempts.last_mut().unwrap();
        assert!(attempt.accepted.is_empty());
        attempt.lines.clear();
    });
    assert_eq!(found, [(AnsweredIsDone, Contradiction)]);
}

#[test]
fn a_refusal_of_what_can_be_had_is_unexpected() {
    let found = found_after(|o| o.answered.refused.push("422".to_owned()));
    assert_eq!(found, [(EverybodyIsAnswered, Unexpected)]);
}

#[test]
fn a_request_that_is_never_answered_is_lost() {
    let found = found_after(|o| o.answered.unanswered.push("an order".to_owned()));
    assert_eq!(found, [(EverybodyIsAnswered, Lost)]);
}

#[test]
fn a_system_that_accepts_nothing_keeps_no_promise() {
    let found = found_after(|o| {
        for attempt in &mut o.answered.attempts {
            attempt.accepted.clear();
        }
    });
    assert_eq!(found, [(EverybodyIsAnswered, Lost)]);
}
