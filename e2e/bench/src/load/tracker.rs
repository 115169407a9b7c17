use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::Result;
use hdrhistogram::Histogram;
use uuid::Uuid;

/// How far the orders of a run got.
pub(super) struct Tracker {
    placed: AtomicU64,
    accepted: AtomicU64,
    failed: AtomicU64,
    confirmed: AtomicU64,
    delivered: AtomicU64,
    orders: Mutex<Orders>,
}

struct Orders {
    /// Accepted and not yet confirmed, with the time for which they were scheduled.
    waiting: HashMap<Uuid, Instant>,
    /// Confirmed before the answer was read.
    early: HashMap<Uuid, Instant>,
    /// From scheduled to confirmed, in microseconds.
    times: Histogram<u64>,
}

/// The counts at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts {
    /// Sent, whatever came of it.
    pub(super) placed: u64,
    /// Answered with 202.
    pub(super) accepted: u64,
    /// Answered otherwise or not at all.
    pub(super) failed: u64,
    /// Seen as confirmed on the topic.
    pub(super) confirmed: u64,
    /// E-mails at the catcher.
    pub(super) delivered: u64,
}

impl Tracker {
    pub(super) fn new() -> Result<Self> {
        let orders = Orders {
            waiting: HashMap::new(),
            early: HashMap::new(),
            times: Histogram::new(3)?,
        };
        Ok(Self {
            placed: AtomicU64::default(),
            accepted: AtomicU64::default(),
            failed: AtomicU64::default(),
            confirmed: AtomicU64::default(),
            delivered: AtomicU64::default(),
            orders: Mutex::new(orders),
        })
    }

    pub(super) fn placed(&self) {
        self.placed.fetch_add(1, Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failed.fetch_add(1, Relaxed);
    }

    pub(super) fn accepted(&self, id: Uuid, scheduled: Instant) {
        self.accepted.fetch_add(1, Relaxed);
        let mut orders = self.orders();
        match orders.early.remove(&id) {
            Some(seen) => self.finish(&mut orders, scheduled, seen),
            None => drop(orders.waiting.insert(id, scheduled)),
        }
    }

    pub(super) fn confirmed(&self, id: Uuid, seen: Instant) {
        let mut orders = self.orders();
        match orders.waiting.remove(&id) {
            Some(scheduled) => self.finish(&mut orders, scheduled, seen),
            None => drop(orders.early.insert(id, seen)),
        }
    }

    pub(super) fn delivered(&self, count: u64) {
        self.delivered.store(count, Relaxed);
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            placed: self.placed.load(Relaxed),
            accepted: self.accepted.load(Relaxed),
            failed: self.failed.load(Relaxed),
            confirmed: self.confirmed.load(Relaxed),
            delivered: self.delivered.load(Relaxed),
        }
    }

    /// The times so far; those of later orders are counted anew.
    pub(super) fn take_times(&self) -> Histogram<u64> {
        let times = &mut self.orders().times;
        let taken = times.clone();
        times.reset();
        taken
    }

    fn finish(&self, orders: &mut Orders, scheduled: Instant, seen: Instant) {
        self.confirmed.fetch_add(1, Relaxed);
        let time = seen.saturating_duration_since(scheduled).as_micros();
        // It grows as needed, so nothing is out of its range.
        orders
            .times
            .record(u64::try_from(time).unwrap_or(u64::MAX))
            .ok();
    }

    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
