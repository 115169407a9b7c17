//! The checker says so when a promise is broken: each test takes the picture of a healthy system,
//! breaks one thing in it, and expects that finding and no other. No running system is needed.

#![expect(clippy::unwrap_used, reason = "a failed test may panic")]

mod healthy;

mod answers;
mod messages;
mod notifications;
mod orders;
mod stock;

use checker::{Class, Observed, Outcomes, Promise, check};
use healthy::{CANCELLED, healthy};

#[test]
fn a_healthy_system_has_kept_every_promise() {
    let verdict = check(&healthy());
    assert!(verdict.is_kept(), "{:#?}", verdict.violations);
    assert_eq!(verdict.recovered, 1);
}

#[test]
fn every_order_is_counted_by_its_outcome() {
    let mut observed = healthy();
    // Whoever has asked for no cancellation has missed the payment deadline.
    observed.answered.attempts[CANCELLED].asks_to_cancel = false;
    let expected = Outcomes {
        paid: 1,
        cancelled: 1,
        rejected: 1,
        expired: 1,
    };
    assert_eq!(check(&observed).outcomes, expected);
}

#[test]
fn an_empty_system_has_kept_every_promise() {
    assert!(check(&Observed::default()).is_kept());
}

/// Breaks something and returns what the checker finds, each promise and class once.
fn found_after(harm: impl FnOnce(&mut Observed)) -> Vec<(Promise, Class)> {
    let mut observed = healthy();
    harm(&mut observed);
    let verdict = check(&observed);
    let mut found: Vec<_> = (verdict.violations.iter())
        .map(|finding| (finding.promise, finding.class))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}
