//! Clients were answered, and what they were answered is done.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Answered, Attempt, Class, Line, Order, Promise, Verdict};

/// What no single client can tell.
pub(super) fn all(answered: &Answered, verdict: &mut Verdict) {
    for what in &answered.refused {
        verdict.add(Promise::EverybodyIsAnswered, Class::Unexpected, what);
    }
    for what in &answered.unanswered {
        let what = format!("{what} was never answered, although everything was healed");
        verdict.add(Promise::EverybodyIsAnswered, Class::Lost, what);
    }
    let mut attempts = answered.attempts.iter();
    if !answered.attempts.is_empty() && attempts.all(|one| one.accepted.is_empty()) {
        let what = "not a single order was accepted";
        verdict.add(Promise::EverybodyIsAnswered, Class::Lost, what);
    }
}

/// What one client was answered is in the database.
pub(super) fn done(attempt: &Attempt, by_id: &HashMap<Uuid, &Order>, verdict: &mut Verdict) {
    for id in &attempt.accepted {
        let Some(order) = by_id.get(id) else {
            let what = format!(
                "order {id} of {} was answered with 202 and is nowhere",
                attempt.email
            );
            verdict.add(Promise::AnsweredIsDone, Class::Lost, what);
            continue;
        };
        for (was_answered, wanted) in [(attempt.paid, "paid"), (attempt.cancelled, "cancelled")] {
            if was_answered && order.status != wanted {
                let what = format!(
                    "order {id} was answered as {wanted} and is {}",
                    order.status
                );
                verdict.add(Promise::AnsweredIsDone, Class::Lost, what);
            }
        }
    }
}

/// The order is what its client asked for, in however many answers.
pub(super) fn wished(attempt: &Attempt, found: &[&Order], verdict: &mut Verdict) {
    for order in found {
        if Line::sorted(&order.lines) != Line::sorted(&attempt.lines) {
            let what = format!(
                "order {} is of {:?}, wanted was {:?}",
                order.id, order.lines, attempt.lines
            );
            verdict.add(Promise::AnsweredIsDone, Class::Contradiction, what);
        }
    }
}
