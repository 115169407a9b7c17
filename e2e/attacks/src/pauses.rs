use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use checker::{CONSUMERS, Observed};
use contracts::topology::STOCK_EVENTS;
use contracts::{Message, StockReserved};
use uuid::Uuid;

/// An order that was confirmed, in seconds after the start of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Confirmed {
    /// When it was placed.
    pub placed: f64,
    /// When that it is confirmed was committed.
    pub confirmed: f64,
}

/// From when to when, in seconds after the start of a run.
pub type Window = (f64, f64);

/// All orders that were confirmed in a run that began then, in the order in which they were.
pub(super) fn confirmations(observed: &Observed, began: SystemTime) -> Vec<Confirmed> {
    let since = |time: Duration| time.as_secs_f64() - since_epoch(began).as_secs_f64();
    let handlers = CONSUMERS.iter().filter(|one| one.topic == STOCK_EVENTS);
    let handlers: Vec<_> = handlers.map(|one| one.handler).collect();
    let committed: HashMap<Uuid, i64> = (observed.handled.iter())
        .filter(|one| handlers.contains(&one.handler))
        .map(|one| (one.message_id, one.committed_at))
        .collect();
    let reserved = observed.stock_events.iter();
    let reserved = reserved.filter(|record| record.message_type == StockReserved::TYPE);
    let mut all: Vec<_> = reserved
        .filter_map(|record| {
            let (seconds, nanoseconds) = record.order_id.get_timestamp()?.to_unix();
            let committed = u64::try_from(*committed.get(&record.id)?).ok()?;
            Some(Confirmed {
                placed: since(Duration::new(seconds, nanoseconds)),
                confirmed: since(Duration::from_micros(committed)),
            })
        })
        .collect();
    all.sort_unstable_by(|one, other| one.confirmed.total_cmp(&other.confirmed));
    all
}

fn since_epoch(time: SystemTime) -> Duration {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default()
}

/// The longest time from one confirmation to the next, as far as it is after the window has begun, and in no window in
/// which orders were held up by something else. Time in which no order waits for its confirmation does not count.
/// None when no order waited in the window.
///
/// A pause that is longer than the window counts to its end. The orders are in the order of their confirmations.
#[must_use]
pub fn longest_pause(orders: &[Confirmed], window: Window, held_up: &[Window]) -> Option<f64> {
    let mut held_up = held_up.to_vec();
    held_up.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
    let mut longest: Option<f64> = None;
    // Since when one of those that are still to be confirmed has waited.
    let mut waits = f64::INFINITY;
    for (at, order) in orders.iter().enumerate().rev() {
        waits = waits.min(order.placed);
        let before = at.checked_sub(1).and_then(|before| orders.get(before));
        let last = before.map_or(f64::NEG_INFINITY, |before| before.confirmed);
        let begin = last.max(waits).max(window.0);
        if begin < order.confirmed && begin < window.1 {
            let pause = longest_part((begin, order.confirmed), &held_up);
            longest = Some(pause.max(longest.unwrap_or_default()));
        }
    }
    longest
}

/// The longest part of a pause that is in none of these windows, which are in the order of their beginnings.
fn longest_part((begin, end): Window, without: &[Window]) -> f64 {
    let (mut at, mut longest) = (begin, 0.0_f64);
    for &(from, to) in without {
        longest = longest.max(from.min(end) - at);
        at = at.max(to);
    }
    longest.max(end - at)
}
