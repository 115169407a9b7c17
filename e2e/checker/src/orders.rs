//! One key, one order; one state.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Attempt, Class, Observed, Order, Promise, Verdict, answers};

/// The states in which an order may rest: nothing more happens to it by itself, or it waits for its
/// payment and the deadline of it.
const AT_REST: [&str; 4] = ["confirmed", "rejected", "paid", "cancelled"];

/// Every change of state that there is.
const STEPS: [(&str, &str); 5] = [
    ("pending", "confirmed"),
    ("pending", "rejected"),
    ("pending", "cancelled"),
    ("confirmed", "paid"),
    ("confirmed", "cancelled"),
];

pub(super) fn check(observed: &Observed, verdict: &mut Verdict) {
    let by_id: HashMap<Uuid, &Order> = (observed.orders.iter().map(|one| (one.id, one))).collect();
    let mut by_email: HashMap<&str, Vec<&Order>> = HashMap::new();
    for order in &observed.orders {
        by_email.entry(&order.email).or_default().push(order);
    }
    for attempt in &observed.answered.attempts {
        let found = by_email.remove(attempt.email.as_str()).unwrap_or_default();
        answers::done(attempt, &by_id, verdict);
        answers::wished(attempt, &found, verdict);
        one_order(attempt, &found, verdict);
        for order in found {
            verdict.outcomes.add(&order.status, attempt.asks_to_cancel);
        }
    }
    answers::all(&observed.answered, verdict);
    for order in by_email.into_values().flatten() {
        let what = format!("order {} of {}, who never ordered", order.id, order.email);
        verdict.add(Promise::AnsweredIsDone, Class::Unexpected, what);
    }
    for order in &observed.orders {
        history(order, verdict);
        if observed.deadlines_have_passed && order.status == "confirmed" {
            let what = format!("the payment deadline of order {} never came", order.id);
            verdict.add(Promise::OneState, Class::Lost, what);
        }
    }
    listed(observed, &by_id, verdict);
}

fn one_order(attempt: &Attempt, found: &[&Order], verdict: &mut Verdict) {
    let mut ids: Vec<Uuid> = found.iter().map(|order| order.id).collect();
    ids.extend(&attempt.accepted);
    ids.sort_unstable();
    ids.dedup();
    if let [first, others @ ..] = &ids[..] {
        for other in others {
            let what = format!("{} got order {other} beside {first}", attempt.email);
            verdict.add(Promise::OneOrderPerKey, Class::Duplicated, what);
        }
    }
    if attempt.accepted.is_empty() && !found.is_empty() {
        verdict.recovered += 1;
    }
}

/// An order tells its own story without a gap, and the story ends where the order stands.
fn history(order: &Order, verdict: &mut Verdict) {
    let id = order.id;
    if !AT_REST.contains(&order.status.as_str()) {
        let what = format!("order {id} is still {}", order.status);
        verdict.add(Promise::OneState, Class::Contradiction, what);
    }
    let starts = order
        .history
        .first()
        .is_some_and(|step| step.status == "pending");
    let follows = order.history.windows(2).all(|pair| {
        let (from, to) = (pair[0].status.as_str(), pair[1].status.as_str());
        STEPS.contains(&(from, to))
    });
    let counts = (1..)
        .zip(&order.history)
        .all(|(version, step)| step.version == version);
    let ends = (order.history.last())
        .is_some_and(|step| step.status == order.status && step.version == order.version);
    if !(starts && follows && counts && ends) {
        let what = format!(
            "order {id} is {} in version {} after {:?}",
            order.status, order.version, order.history
        );
        verdict.add(Promise::OneState, Class::Contradiction, what);
    }
}

/// The API shows what the database holds.
fn listed(observed: &Observed, by_id: &HashMap<Uuid, &Order>, verdict: &mut Verdict) {
    let mut unlisted = by_id.clone();
    for listed in &observed.listed {
        let Some(order) = unlisted.remove(&listed.id) else {
            let what = format!(
                "the API lists order {}, which is nowhere or twice",
                listed.id
            );
            verdict.add(Promise::OneState, Class::Unexpected, what);
            continue;
        };
        if (&order.status, order.version) != (&listed.status, listed.version) {
            let what = format!(
                "order {} is {} for the API and {} in the database",
                listed.id, listed.status, order.status
            );
            verdict.add(Promise::OneState, Class::Contradiction, what);
        }
    }
    for id in unlisted.keys() {
        let what = format!("order {id} is not listed by the API");
        verdict.add(Promise::OneState, Class::Lost, what);
    }
}
