use std::collections::VecDeque;

use super::Age;

/// How many observations in a row have to show that messages left without an acknowledgement. The broker
/// refreshes its numbers of one queue at different moments, so they disagree for a while.
const CONFIRMED: u32 = 3;

/// What a counter may grow by between two observations. More is no counter but a mistake of the broker.
const ABSURD: u64 = 1_000_000;

/// After so many seconds without a look it is unknown when messages arrived meanwhile: they may have waited
/// elsewhere while the broker was away.
const GAP: f64 = 15.0;

/// How many arrivals are remembered. Beyond that, the older ones are remembered less exactly.
const REMEMBERED: usize = 4_096;

/// The messages of one queue, numbered in the order of their arrival: how many have ever arrived and left.
///
/// No broker tells how old the oldest message of a quorum queue is. It tells how many wait and how many were
/// acknowledged. As messages leave in the order of their arrival, the oldest is the one behind those that have
/// left, and the time at which its number was reached is the time of its arrival.
///
/// Times are seconds of a clock that never goes back.
#[derive(Debug, Clone)]
pub struct Flow {
    departed: u64,
    arrived: u64,
    depth: u64,
    /// The broker's counter of acknowledgements, as last seen.
    acknowledged: Option<u64>,
    arrivals: VecDeque<Arrival>,
    /// Up to this number nobody was looking when they arrived.
    unwatched: u64,
    watched_since: f64,
    last_seen: f64,
    missing: Option<(u32, u64)>,
}

/// Messages that arrived between two observations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrival {
    /// How many had arrived before them.
    pub before: u64,
    /// How many had arrived with them.
    pub arrived: u64,
    /// Not before this moment.
    pub began: f64,
    /// Not after this one.
    pub ended: f64,
    /// Nobody was looking for a while, so they may have come long before.
    pub at_least: bool,
}

/// What has to be remembered for a process that comes after this one.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "as in `Flow`")]
pub struct Saved {
    pub departed: u64,
    pub acknowledged: u64,
    pub unwatched: u64,
    pub watched_since: f64,
    pub last_seen: f64,
    pub arrivals: Vec<Arrival>,
}

impl Arrival {
    /// When the message came before which so many had arrived. They are taken to have come evenly.
    fn moment_of(&self, head: u64) -> f64 {
        if self.at_least {
            return self.ended;
        }
        let count = self.arrived.saturating_sub(self.before).max(1);
        let share = (head.saturating_sub(self.before) as f64 + 0.5) / count as f64;
        self.began + (self.ended - self.began) * share.min(1.0)
    }
}

impl Flow {
    /// The first look at a queue in which so many messages wait.
    #[must_use]
    pub fn new(now: f64, depth: u64, acknowledged: Option<u64>) -> Self {
        Self {
            departed: 0,
            arrived: depth,
            depth,
            acknowledged: Some(acknowledged.unwrap_or_default()),
            arrivals: VecDeque::new(),
            unwatched: depth,
            watched_since: now,
            last_seen: now,
            missing: None,
        }
    }

    /// Goes on where another process has stopped looking. What arrived meanwhile arrived between then and now.
    #[must_use]
    pub fn resume(saved: Saved) -> Self {
        let arrived = saved.arrivals.last().map_or(0, |last| last.arrived);
        let arrived = arrived.max(saved.departed).max(saved.unwatched);
        Self {
            departed: saved.departed,
            arrived,
            depth: arrived - saved.departed,
            acknowledged: Some(saved.acknowledged),
            arrivals: saved.arrivals.into(),
            unwatched: saved.unwatched,
            watched_since: saved.watched_since,
            last_seen: saved.last_seen,
            missing: None,
        }
    }

    /// Takes in what the broker says now.
    pub fn observe(&mut self, now: f64, depth: u64, acknowledged: Option<u64>) {
        let now = now.max(self.last_seen);
        self.departed += self.newly_acknowledged(acknowledged);
        let reached = self.departed + depth;
        if reached < self.arrived {
            self.note_missing(self.arrived - reached);
        } else {
            self.missing = None;
        }
        if reached > self.arrived {
            let before = std::mem::replace(&mut self.arrived, reached);
            self.arrivals.push_back(Arrival {
                before,
                arrived: reached,
                began: self.last_seen,
                ended: now,
                at_least: now - self.last_seen > GAP,
            });
        }
        self.depth = depth;
        self.last_seen = now;
        let head = self.head();
        while (self.arrivals.front()).is_some_and(|arrival| arrival.arrived <= head) {
            self.arrivals.pop_front();
        }
        self.thin_out();
    }

    /// How many messages have ever arrived, since somebody first looked.
    #[must_use]
    pub fn arrived(&self) -> u64 {
        self.arrived
    }

    /// How many of them are not waiting any more.
    #[must_use]
    pub fn departed(&self) -> u64 {
        self.head()
    }

    /// How long the oldest message has been waiting; none if none waits.
    #[must_use]
    pub fn age(&self, now: f64) -> Option<Age> {
        self.age_after(now, 0)
    }

    /// The same when so many more have left since the last observation.
    #[must_use]
    pub fn age_after(&self, now: f64, more: u64) -> Option<Age> {
        if self.depth == 0 {
            return None;
        }
        // Who was seen to wait last may be waiting still.
        let head = self
            .head()
            .saturating_add(more)
            .min(self.arrived.saturating_sub(1));
        let arrival = self.arrivals.iter().find(|arrival| arrival.arrived > head);
        let arrival = arrival.filter(|_| head >= self.unwatched);
        let since = arrival.map_or(self.watched_since, |arrival| arrival.moment_of(head));
        Some(Age {
            seconds: (now - since).max(0.0),
            at_least: arrival.is_none_or(|arrival| arrival.at_least),
        })
    }

    /// What has to be remembered for a process that comes after this one.
    #[must_use]
    pub fn save(&self) -> Saved {
        Saved {
            departed: self.departed,
            acknowledged: self.acknowledged.unwrap_or_default(),
            unwatched: self.unwatched,
            watched_since: self.watched_since,
            last_seen: self.last_seen,
            arrivals: self.arrivals.iter().copied().collect(),
        }
    }

    /// How many messages stood before the oldest one that waits.
    fn head(&self) -> u64 {
        self.arrived.saturating_sub(self.depth)
    }

    /// A counter that went back has begun anew with its broker; one that jumps is not believed.
    fn newly_acknowledged(&mut self, counter: Option<u64>) -> u64 {
        let Some(counter) = counter else { return 0 };
        let before = self.acknowledged.replace(counter);
        let new = match before {
            None => 0,
            Some(before) if counter >= before => counter - before,
            Some(_) => counter,
        };
        if new > ABSURD { 0 } else { new }
    }

    /// Messages that are gone without an acknowledgement: expired, purged, moved to the dead letters by the
    /// broker, or counted in a broker that died.
    fn note_missing(&mut self, missing: u64) {
        let (times, least) = self.missing.unwrap_or((0, missing));
        let (times, least) = (times + 1, least.min(missing));
        self.missing = Some((times, least));
        if times >= CONFIRMED {
            self.departed += least;
            self.missing = None;
        }
    }

    fn thin_out(&mut self) {
        if self.arrivals.len() <= REMEMBERED {
            return;
        }
        let old: Vec<_> = self.arrivals.drain(..REMEMBERED / 2).collect();
        for pair in old.chunks(2).rev() {
            let (Some(first), Some(last)) = (pair.first(), pair.last()) else {
                continue;
            };
            self.arrivals.push_front(Arrival {
                before: first.before,
                began: first.began,
                ..*last
            });
        }
    }
}

#[cfg(test)]
mod tests;
