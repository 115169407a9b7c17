use contracts::topology::ORDER_EVENTS;

use super::{Known, Statistics};

/// The service whose way this is.
const CONSOLE: &str = "console";

/// So many records a second keep a machine busy; what it does beside fewer is not a sale.
const SALE: f64 = 200.0;

/// Nothing that has happened stays unread for longer than so many seconds because of others.
const LONGEST: f64 = 60.0;

impl Statistics {
    /// Whether reading what happens to orders may wait, because the machine has no time left beside those who sell,
    /// and nobody watches. What waits is in the topics.
    #[must_use]
    pub fn others_first(&self) -> bool {
        let mut known = self.known();
        let now = known.clock.now();
        let is_busy = known.machine.is_busy(now);
        known.gives_way(is_busy, now)
    }
}

impl Known {
    /// For how many seconds the first event that this service had not read had been waiting, at the last look, if that is
    /// known.
    pub(crate) fn behind(&self) -> Option<f64> {
        self.topics.oldest_of(CONSOLE, self.clock)
    }

    /// Since when a partition counts as standing that this service has not got any further with since then: while others go
    /// first, the console stands on purpose.
    pub(crate) fn standing_since(&self, service: &str, since: f64) -> f64 {
        match self.gave_way {
            Some(gave_way) if service == CONSOLE => since.max(gave_way),
            _ => since,
        }
    }

    fn gives_way(&mut self, is_busy: bool, now: f64) -> bool {
        let gives_way = is_busy && self.may_wait();
        if gives_way {
            self.gave_way = Some(now);
        }
        gives_way
    }

    fn may_wait(&self) -> bool {
        let topics = self.topics.states();
        let mut events = topics.filter(|(name, _)| *name == ORDER_EVENTS.name);
        let Some((name, events)) = events.next() else {
            return false;
        };
        let is_sale = events.arriving.per_second().is_some_and(|of| of >= SALE);
        // Of several, one does not know whether somebody watches another.
        let group = events.groups.get(&format!("{CONSOLE}.{name}"));
        let is_alone = group.is_some_and(|group| group.members == 1);
        // Who does not know for how long something has been waiting does not let it wait any longer.
        let is_up = self.kafka.up() == Some(true);
        let may_be_older = is_up && self.behind().is_some_and(|behind| behind < LONGEST);
        is_sale && is_alone && may_be_older && !self.is_watched()
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;
    use jiff::{SignedDuration, Timestamp};
    use messaging::{GroupProgress, Head, TopicProgress};

    use super::*;

    /// Order events at this rate, of which as many consoles have read all but those of the last seconds.
    fn known(rate: u16, members: usize, behind: i64) -> Known {
        let head = Head {
            time: Timestamp::now() - SignedDuration::from_secs(behind),
            key: None,
        };
        known_by(rate, members, Some(head))
    }

    /// The first event that they have not read is this one, if it could be read.
    fn known_by(rate: u16, members: usize, head: Option<Head>) -> Known {
        let mut known = Known::default();
        let now = known.clock.now();
        for second in [0, 1] {
            let progress = TopicProgress {
                topic: ORDER_EVENTS.name,
                ends: vec![1_000 + second * i64::from(rate)],
                groups: vec![GroupProgress {
                    group: "console.order-events".to_owned(),
                    members,
                    committed: vec![Some(900)],
                    heads: vec![head.clone()],
                }],
            };
            known.topics.observe(now + second as f64, vec![progress]);
        }
        known.kafka.answered(now);
        known
    }

    #[test]
    fn reading_waits_while_orders_come_in_a_flood_and_nobody_watches() {
        assert!(known(2_000, 1, 3).may_wait());
        assert!(!known(20, 1, 3).may_wait(), "there is no sale");
        assert!(
            !known(2_000, 2, 3).may_wait(),
            "somebody may watch the other one"
        );
        assert!(
            !known(2_000, 1, 61).may_wait(),
            "it has waited for long enough"
        );
        assert!(!Known::default().may_wait(), "nothing is known");
        let mut watched = known(2_000, 1, 3);
        watched.show();
        assert!(!watched.may_wait(), "somebody watches");
    }

    #[test]
    fn nothing_waits_while_nobody_knows_for_how_long_it_has_been_waiting() {
        assert!(!known_by(2_000, 1, None).may_wait(), "it was not read");
        let mut away = known(2_000, 1, 3);
        let later = away.clock.now() + 60.0;
        away.kafka.failed(later, &anyhow!("Kafka does not answer"));
        assert!(!away.may_wait(), "what is known is old");
    }

    #[test]
    fn who_gives_way_is_not_said_to_be_stuck() {
        let mut known = known(2_000, 1, 3);
        assert!(!known.gives_way(false, 7.0));
        assert_eq!(known.standing_since("console", 5.0), 5.0);
        assert!(known.gives_way(true, 8.0));
        assert_eq!(known.standing_since("console", 5.0), 8.0);
        assert_eq!(known.standing_since("console", 9.0), 9.0);
        assert_eq!(known.standing_since("notification", 5.0), 5.0);
    }

    #[test]
    fn how_far_it_is_behind_is_the_age_of_the_first_record_that_is_left() {
        let behind = known(10, 1, 30).behind();
        let is_right = behind.is_some_and(|behind| (29.0..90.0).contains(&behind));
        assert!(is_right, "{behind:?}");
        assert_eq!(Known::default().behind(), Some(0.0));
        assert_eq!(known_by(10, 1, None).behind(), None);
    }
}
