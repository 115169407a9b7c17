mod brokers;
mod clients;
mod services;

use std::collections::{BTreeMap, BTreeSet};

pub use brokers::*;
pub use clients::*;
pub use services::*;

/// Everything that the checker decides by.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// What clients asked for and were answered.
    pub answered: Answered,
    /// Whether so much time has passed that no order can still wait for its payment.
    pub deadlines_have_passed: bool,
    /// How many faults may have come between the sending of an e-mail and its commit.
    pub interruptions: usize,
    /// How often an e-mail was taken over from an instance that had died with it, as `notification` counts
    /// it. None if it does not.
    pub takeovers: Option<usize>,
    /// How many faults may have cut off a sender from the mail server.
    pub cut_offs: usize,
    /// The orders in the database of `order`.
    pub orders: Vec<Order>,
    /// The orders as its API lists them.
    pub listed: Vec<Listed>,
    /// The stock in the database of `inventory`, by SKU.
    pub stock: BTreeMap<String, Stock>,
    /// The stock as its API shows it.
    pub shown: BTreeMap<String, Level>,
    /// All versions of the levels in the topic `stock-levels`, in the order of the topic.
    pub levels: Vec<(String, Level)>,
    /// The reservations in the database of `inventory`.
    pub reservations: Vec<Reservation>,
    /// The deliveries in the database of `inventory`.
    pub restocks: Vec<Restock>,
    /// The notifications in the database of `notification`.
    pub notifications: Vec<Notification>,
    /// What the API of `notification` answers for some of the orders.
    pub told: Vec<Told>,
    /// The e-mails at the mail server.
    pub emails: Vec<Email>,
    /// The records of `order-events`, partition by partition in the order of their offsets.
    pub order_events: Vec<Record>,
    /// The records of `stock-events`, in the same way.
    pub stock_events: Vec<Record>,
    /// What each handler has in its inbox.
    pub handled: Vec<Handled>,
    /// Rows in the outbox of each service.
    pub outboxes: BTreeMap<String, i64>,
    /// All queues but the one of dead letters.
    pub queues: Vec<Queue>,
    /// Exchanges, queues and bindings before anybody deleted any.
    pub declared_before: BTreeSet<String>,
    /// Those that there are now.
    pub declared: BTreeSet<String>,
    /// How far each consumer group is behind, by partition.
    pub lags: Vec<Lag>,
    /// The dead letters, each as often as it has failed.
    pub dead_letters: Vec<DeadLetter>,
    /// The messages that were made so that nobody can handle them.
    pub poison: Vec<Poison>,
    /// Those of them that were mended and replayed afterwards.
    pub mended: Vec<Mended>,
}
