use std::fmt::{self, Display};

use serde::Serialize;

use super::Outcomes;

/// What the system promises, in the order of the design.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Promise {
    /// What was answered with 2xx has happened and stays.
    AnsweredIsDone,
    /// Whoever asks for what can be had gets it, at the latest once everything is healed.
    EverybodyIsAnswered,
    /// One `Idempotency-Key` gives one order.
    OneOrderPerKey,
    /// An order has one terminal or waiting state, the same wherever one looks.
    OneState,
    /// At most one reservation for an order, of exactly its lines.
    OneReservation,
    /// Initial + restocked = available + reserved + sold for every SKU, never negative.
    StockAddsUp,
    /// Events of one order are written and consumed in the order of their versions, without gaps.
    VersionsInOrder,
    /// One notification effect for each event and channel.
    OneNotification,
    /// Outboxes and queues are empty, consumers have read everything.
    NothingLeftBehind,
    /// The dead letters are the messages that nobody could handle, and nothing else.
    DeadLettersArePoison,
    /// Exchanges, queues and bindings that somebody deleted are declared again.
    TopologyComesBack,
}

/// In which way a promise is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// It must be there and is not.
    Lost,
    /// It is there twice.
    Duplicated,
    /// It is there and nobody asked for it.
    Unexpected,
    /// Two views of it contradict each other.
    Contradiction,
}

/// One broken promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which.
    pub promise: Promise,
    /// In which way.
    pub class: Class,
    /// What was seen, for people, with the id to look for in logs.
    pub what: String,
}

/// What the checker has found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Every broken promise.
    pub violations: Vec<Finding>,
    /// To which ends the orders have come.
    pub outcomes: Outcomes,
    /// Orders that exist although their client never got an answer: it may be either way.
    pub recovered: usize,
    /// Further copies of one e-mail, with its `Message-ID`: some are allowed, because no protocol lets a
    /// mail server and a database commit together.
    pub repeated_emails: usize,
    /// E-mails of which nobody can tell whether they were delivered: the mail server was lost at their end.
    pub emails_in_doubt: usize,
    /// Further copies of one record in a topic, with its id: allowed, consumers tell them apart.
    pub repeated_records: usize,
    /// Further copies of one dead letter: allowed for the same reason.
    pub repeated_dead_letters: usize,
}

impl Verdict {
    /// Whether every promise was kept.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.violations.is_empty()
    }

    /// How many findings of a class there are.
    #[must_use]
    pub fn count(&self, class: Class) -> usize {
        let of_class = |finding: &&Finding| finding.class == class;
        self.violations.iter().filter(of_class).count()
    }

    pub(super) fn add(&mut self, promise: Promise, class: Class, what: impl Into<String>) {
        self.violations.push(Finding {
            promise,
            class,
            what: what.into(),
        });
    }
}

impl Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AnsweredIsDone => "what was answered is done",
            Self::EverybodyIsAnswered => "everybody is answered",
            Self::OneOrderPerKey => "one order per key",
            Self::OneState => "one state",
            Self::OneReservation => "one reservation",
            Self::StockAddsUp => "stock adds up",
            Self::VersionsInOrder => "versions in order",
            Self::OneNotification => "one notification",
            Self::NothingLeftBehind => "nothing left behind",
            Self::DeadLettersArePoison => "dead letters are the poison",
            Self::TopologyComesBack => "topology comes back",
        })
    }
}

impl Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lost => "lost",
            Self::Duplicated => "duplicated",
            Self::Unexpected => "unexpected",
            Self::Contradiction => "contradiction",
        })
    }
}

impl Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.class, self.promise, self.what)
    }
}
