use std::cmp::Reverse;

/// How long nothing has to leave a queue before its consumers count as holding its messages, in seconds.
const HELD: f64 = 5.0;

/// How old the oldest message has to be before it is worth a sentence, in seconds: that long a healthy system may
/// take.
const WORTH_A_WORD: f64 = 2.0;

/// How much faster messages have to arrive than they are handled.
const FASTER: f64 = 1.05;

/// Why something does not move, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The broker does not answer.
    BrokerAway,
    /// Messages wait and nobody is there to take them.
    NobodyConsumes,
    /// Consumers are there and no message leaves.
    Held,
    /// A message has failed, and its partition waits for the next attempt.
    Retry,
    /// Somebody has asked for it.
    Paused,
    /// Somebody has asked for failures.
    Failing,
    /// Somebody has asked for it to be slow.
    Slowed,
    /// More comes than goes.
    ArrivalFaster,
}

/// A queue, or a partition as one group sees it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Watched {
    /// What it is called.
    pub name: String,
    /// Whose it is.
    pub service: String,
    /// Messages that wait or are being handled.
    pub waiting: Option<u64>,
    /// How many consumers there are.
    pub consumers: Option<u64>,
    /// How old the oldest message is, in seconds.
    pub age: Option<f64>,
    /// It is older than that.
    pub at_least: bool,
    /// Messages per second that come.
    pub arriving: Option<f64>,
    /// Messages per second that go.
    pub leaving: Option<f64>,
    /// For how long the same message has been the oldest, in seconds.
    pub standing: Option<f64>,
    /// The place of the oldest message, if this is a partition: its messages keep their order, so one that fails
    /// holds up those behind it.
    pub partition: Option<Place>,
}

/// A record that waits to be handled.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Place {
    /// Number of its partition.
    pub partition: i32,
    /// Its number there.
    pub offset: i64,
    /// Its key: in topics about orders the id of the order.
    pub key: Option<String>,
}

/// What somebody has asked of a service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// It takes no messages.
    pub paused: bool,
    /// It takes its time for each message.
    pub slowed: bool,
    /// A share of its messages fails.
    pub failing: bool,
    /// It sends no e-mails.
    pub refusing: bool,
}

/// Why each of these does not move; nothing is said of those that do. The worst comes first.
#[must_use]
pub fn reasons(watched: &[Watched], asked: impl Fn(&str) -> Asked) -> Vec<(Reason, &Watched)> {
    let mut found: Vec<_> = watched
        .iter()
        .filter_map(|one| Some((reason(one, asked(&one.service))?, one)))
        .collect();
    found.sort_by_key(|(reason, one)| (*reason, Reverse(one.waiting)));
    found
}

fn reason(one: &Watched, asked: Asked) -> Option<Reason> {
    if one.waiting.unwrap_or_default() == 0 {
        return None;
    }
    let is_old = one.age.is_some_and(|age| age >= WORTH_A_WORD);
    if asked.paused {
        return Some(Reason::Paused);
    }
    if !is_old {
        return None;
    }
    if one.consumers == Some(0) {
        return Some(Reason::NobodyConsumes);
    }
    let stands = |seconds| one.standing.is_some_and(|standing| standing >= seconds);
    // Who is slow on purpose may need as long for a batch as others for a retry.
    let a_while = if asked.slowed { HELD } else { WORTH_A_WORD };
    if one.partition.is_some() && stands(a_while) {
        return Some(Reason::Retry);
    }
    if asked.failing || asked.refusing {
        return Some(Reason::Failing);
    }
    if one.partition.is_none() && stands(HELD) && one.leaving == Some(0.0) {
        return Some(Reason::Held);
    }
    if asked.slowed {
        return Some(Reason::Slowed);
    }
    let is_faster = match (one.arriving, one.leaving) {
        (Some(arriving), Some(leaving)) => arriving > leaving * FASTER,
        _ => false,
    };
    is_faster.then_some(Reason::ArrivalFaster)
}

#[cfg(test)]
mod tests;
