//! Decides whether the system has kept its promises.
//!
//! [`Observer`] reads everything that there is to see once the system has come to rest: the HTTP
//! APIs, the databases, the topics, the queues and the delivered e-mails. [`Observed`] is that
//! picture, together with what the clients were answered. [`check`] decides by it, without looking
//! at anything else, so that for every promise there is a test in which the picture shows it broken.
//!
//! The classes of a [`Finding`] are those known from Jepsen, and one for what contradicts itself.

mod consumers;
mod foreign;
mod observed;
mod outcomes;
mod verdict;

mod answers;
mod dead_letters;
mod events;
mod leftovers;
mod notifications;
mod orders;
mod reservations;
mod stock;
mod topology;

mod observer;

pub use consumers::{CONSUMERS, Consumer};
pub use foreign::foreign_body;
pub use observed::{
    Answered, Attempt, DeadLetter, Email, Handled, Lag, Level, Line, Listed, Mended, Notification,
    Observed, Order, Poison, Queue, Record, Reservation, Restock, Restocked, Step, Stock, Told,
};
pub use observer::{Observer, Pending};
pub use outcomes::Outcomes;
pub use verdict::{Class, Finding, Promise, Verdict};

/// Decides every promise.
#[must_use]
pub fn check(observed: &Observed) -> Verdict {
    let mut verdict = Verdict::default();
    orders::check(observed, &mut verdict);
    reservations::check(observed, &mut verdict);
    stock::check(observed, &mut verdict);
    events::check(observed, &mut verdict);
    notifications::check(observed, &mut verdict);
    leftovers::check(observed, &mut verdict);
    topology::check(observed, &mut verdict);
    dead_letters::check(observed, &mut verdict);
    verdict
}
