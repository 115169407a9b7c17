use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::publish::PublishError;
use super::row::Row;
use crate::transport::Transport;

mod answers;
mod line;

use answers::{Answers, by_address};
use line::{LINE, Line};

/// So many addresses at a time are looked at for what they have refused.
pub(super) const AT_ONCE: usize = 100;
/// How often a relay looks for addresses that are due.
const LOOK: Duration = Duration::from_secs(1);
/// And how often when it found none: another instance may have put something aside.
const IDLE: Duration = Duration::from_secs(5);
/// The longest pause before an address is tried again. Not longer, because a queue that was full may have room.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// For so long nothing is asked of an address that takes nothing. Whoever tries again renews it.
const CLOSED: Duration = Duration::from_secs(10);
/// So many rows of an address are tried at once where it takes them.
const LARGEST_PORTION: usize = 500;
/// More addresses than this are not told apart: they may be anybody's choice.
const MOST: usize = 1_000;
const OTHERS: &str = "other addresses";

/// What this relay knows of the addresses (exchange and routing key, or topic) for which a broker has refused
/// messages: whether they take any, when to try again, and what was said of them. All of it by a monotonic clock.
#[derive(Default)]
pub(crate) struct Refused {
    addresses: BTreeMap<String, Address>,
    /// When to look at the table again; at once if never.
    due: Option<Instant>,
    /// Where the last look ended; from the beginning if empty.
    after: String,
}

struct Address {
    /// It takes nothing at all.
    is_closed: bool,
    /// How many rows to try at once.
    portion: usize,
    failures: u32,
    next_try: Instant,
    last_refusal: Instant,
    /// When something for it was last refused or tried again.
    last_seen: Instant,
    line: Line,
}

impl Refused {
    /// The addresses that take nothing.
    pub(super) fn closed(&self) -> Vec<String> {
        let is_closed = |one: &Address| one.is_closed && one.last_refusal.elapsed() < CLOSED;
        let closed = self.addresses.iter().filter(|(_, one)| is_closed(one));
        closed.map(|(address, _)| address.clone()).collect()
    }

    /// How long until the table is to be looked at.
    pub(super) fn until_due(&self) -> Duration {
        self.due.map_or(Duration::ZERO, |due| {
            due.saturating_duration_since(Instant::now())
        })
    }

    /// Somebody else looks at the table.
    pub(super) fn left_to_others(&mut self) {
        let now = Instant::now();
        self.forget(now);
        self.due = Some(now + IDLE);
    }

    /// After which address to look.
    pub(super) fn after(&self) -> &str {
        &self.after
    }

    /// Something was refused for these addresses. Returns those that are due, and how many rows of each to try.
    pub(super) fn found(
        &mut self,
        addresses: Vec<String>,
        window: usize,
    ) -> (Vec<String>, Vec<i64>) {
        let now = Instant::now();
        self.forget(now);
        let is_idle = addresses.is_empty() && self.after.is_empty();
        self.due = Some(now + if is_idle { IDLE } else { LOOK });
        self.after = match addresses.last() {
            Some(last) if addresses.len() >= AT_ONCE => last.clone(),
            _ => String::new(),
        };
        let portion = |address: &String| match self.addresses.get(address) {
            Some(known) => (known.next_try <= now).then_some(known.portion),
            None => Some(1),
        };
        let due = addresses.into_iter().filter_map(|address| {
            let portion = portion(&address)?;
            Some((address, portion))
        });
        let due: Vec<(String, usize)> = due.collect();
        let most = (window / due.len().max(1)).max(1);
        let limited = |portion: usize| i64::try_from(portion.min(most)).unwrap_or(1);
        let due = due.into_iter();
        due.map(|(address, portion)| (address, limited(portion)))
            .unzip()
    }

    /// Takes note of what the broker says to a window. `is_sample` if these had been refused before.
    pub(super) fn note(
        &mut self,
        transport: Transport,
        rows: &[Row],
        results: &[Result<(), PublishError>],
        is_sample: bool,
    ) {
        let is_refusal = |result: &Result<(), PublishError>| {
            let error = result.as_ref().err();
            error.is_some_and(|error| error.refusal().is_some())
        };
        let is_news = is_sample || results.iter().any(is_refusal);
        if self.addresses.is_empty() && !is_news {
            return;
        }
        let now = Instant::now();
        for (address, answers) in by_address(transport, rows, results) {
            self.note_address(transport, address, &answers, is_sample, now);
        }
    }

    fn note_address(
        &mut self,
        transport: Transport,
        address: String,
        answers: &Answers<'_>,
        is_sample: bool,
        now: Instant,
    ) {
        let is_known = self.addresses.contains_key(&address);
        // What was refused before may be of another relay, or of long ago.
        if !is_known && answers.refused == 0 && !is_sample {
            return;
        }
        let has_room = is_known || self.addresses.len() < MOST;
        let address = if has_room { address } else { OTHERS.to_owned() };
        let new = || Address::new(now);
        let one = self.addresses.entry(address.clone()).or_insert_with(new);
        if is_sample || answers.refused > 0 {
            one.last_seen = now;
        }
        if let Some((row, reason)) = answers.last {
            one.last_refusal = now;
            if let Some(refused) = one.line.refused(answers.refused, now) {
                warn!(
                    transport = transport.as_str(), address, refused, reason,
                    message_id = %row.message_id, message_type = row.message_type, attempts = row.attempts + 1,
                    "{refused} messages for {address} refused, kept for another attempt"
                );
            }
        }
        if one.answered(answers, is_sample, now) {
            self.due = Some(now);
        } else {
            let soon = now + LOOK;
            self.due = self.due.map(|due| due.min(soon));
        }
    }

    fn forget(&mut self, now: Instant) {
        self.addresses.retain(|address, one| {
            let is_kept = now.duration_since(one.last_seen) < LINE;
            if !is_kept {
                let refused = one.line.unsaid;
                info!(
                    address,
                    refused, "nothing for {address} was refused or tried again for a minute"
                );
            }
            is_kept
        });
    }
}

impl Address {
    fn new(now: Instant) -> Self {
        Self {
            is_closed: false,
            portion: 1,
            failures: 0,
            next_try: now + pause(0),
            last_refusal: now,
            last_seen: now,
            line: Line::default(),
        }
    }

    /// Returns whether what was refused is to be tried at once, because the broker takes it now.
    fn answered(&mut self, answers: &Answers<'_>, is_sample: bool, now: Instant) -> bool {
        let was_closed = std::mem::replace(&mut self.is_closed, answers.is_closed);
        // What is taken beside a message that is too large says nothing of that one.
        let is_mended = answers.taken > 0 && (is_sample || was_closed);
        if is_mended {
            self.failures = 0;
        }
        if is_mended && !answers.is_closed {
            self.portion = if is_sample {
                (2 * self.portion).min(LARGEST_PORTION)
            } else {
                1
            };
            self.next_try = now;
            return true;
        }
        // Whatever else is refused meanwhile does not put off the next try.
        if answers.refused > 0 && (is_sample || (answers.is_closed && !was_closed)) {
            self.portion = 1;
            self.next_try = now + pause(self.failures);
            self.failures = self.failures.saturating_add(1);
        }
        false
    }
}

/// 1, 2, 4 and then 5 seconds.
fn pause(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.min(3)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests;
