use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::{Connection, PgConnection, PgPool};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tracing::warn;
use uuid::Uuid;

use super::store;

/// How often a process says that it is alive, and looks who else is.
const EVERY: Duration = Duration::from_secs(1);
/// Limit for doing both.
const LIMIT: Duration = Duration::from_secs(3);
/// A process whose count stood still for so long is dead.
const DEAD_AFTER: Duration = Duration::from_secs(8);
/// Between two looks that are further apart nobody was watched: an outage of the database, in which
/// nobody can count, is not read as death.
const WATCHING: Duration = Duration::from_secs(4);
/// A process that could not count for so long begins nothing. Less than the others wait, by what it
/// takes to get from the question to the effect.
const ALIVE: Duration = Duration::from_secs(4);
/// A process that could not count for so long may have been taken for dead.
const UNBROKEN: Duration = Duration::from_secs(7);

/// What a process knows about who is alive: itself, as far as others can see it, and the others.
pub(crate) struct Pulse {
    pub(super) instance: Uuid,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Since when nobody can have taken this process for dead.
    unbroken: Option<Instant>,
    /// When the last count was begun that arrived.
    counted: Option<Instant>,
    others: HashMap<Uuid, Other>,
}

struct Other {
    beat: i64,
    /// Since when its count stands there.
    since: Instant,
}

impl Pulse {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            instance: Uuid::now_v7(),
            seen: Mutex::default(),
        })
    }

    /// Whether what was claimed at `since` can not have been taken over, now or in the next seconds.
    pub(super) fn holds(&self, since: Instant, now: Instant) -> bool {
        let seen = self.seen();
        let unbroken = seen.unbroken.is_some_and(|unbroken| unbroken <= since);
        let alive = |counted| now.saturating_duration_since(counted) <= ALIVE;
        unbroken && seen.counted.is_some_and(alive)
    }

    /// Those that are dead, as of the last look. A look that is too old says nothing.
    pub(super) fn dead(&self, now: Instant) -> Vec<Uuid> {
        let seen = self.seen();
        let Some(looked) = seen.counted else {
            return Vec::new();
        };
        if now.saturating_duration_since(looked) > WATCHING {
            return Vec::new();
        }
        let stood_still = |other: &Other| looked.saturating_duration_since(other.since);
        let dead = seen
            .others
            .iter()
            .filter(|(_, other)| stood_still(other) >= DEAD_AFTER);
        dead.map(|(instance, _)| *instance).collect()
    }

    /// Counting took from `began` to `ended`, and these were the counts of all.
    fn counted(&self, (began, ended): (Instant, Instant), beats: Vec<(Uuid, i64)>) {
        let mut seen = self.seen();
        let last = seen.counted.replace(began);
        let pause = last.map(|last| ended.saturating_duration_since(last));
        if pause.is_none_or(|pause| pause > UNBROKEN) {
            seen.unbroken = Some(ended);
        }
        let watched = pause.is_some_and(|pause| pause <= WATCHING);
        let mut before = std::mem::take(&mut seen.others);
        for (instance, beat) in beats {
            if instance == self.instance {
                continue;
            }
            let known = before.remove(&instance).filter(|_| watched);
            let other = known.filter(|other| other.beat == beat);
            let other = other.unwrap_or(Other { beat, since: ended });
            seen.others.insert(instance, other);
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says again and again that this process is alive, until dropped.
///
/// On a connection of its own: those of the pool may all be waiting for a lock.
pub(crate) async fn beat(pulse: Arc<Pulse>, pool: PgPool) {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut connection = None;
    loop {
        tick.tick().await;
        match timeout(LIMIT, once(&pulse, &pool, &mut connection)).await {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => {
                let error = error.to_string();
                warn!(error, "cannot say that this process is alive");
            }
            Err(_) => warn!("cannot say within {LIMIT:?} that this process is alive"),
        }
        connection = None;
    }
}

async fn once(
    pulse: &Pulse,
    pool: &PgPool,
    connection: &mut Option<PgConnection>,
) -> sqlx::Result<()> {
    let db = match connection {
        Some(db) => db,
        None => {
            let options = pool.connect_options();
            connection.insert(PgConnection::connect_with(&options).await?)
        }
    };
    let began = Instant::now();
    let beats = store::count(db, pulse.instance).await?;
    pulse.counted((began, Instant::now()), beats);
    let dead = pulse.dead(Instant::now());
    if !dead.is_empty() {
        store::forget(db, &dead).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: Uuid = Uuid::from_u128(1);

    /// A process that looks at these seconds and sees these counts of another one.
    fn looking(looks: &[(u64, i64)]) -> (Arc<Pulse>, impl Fn(u64) -> Instant) {
        let start = Instant::now();
        let at = move |second| start + Duration::from_secs(second);
        let pulse = Pulse::new();
        for &(second, beat) in looks {
            pulse.counted((at(second), at(second)), vec![(OTHER, beat)]);
        }
        (pulse, at)
    }

    #[test]
    fn whoever_stands_still_while_others_look_is_dead() {
        let looks: Vec<_> = (0..8).map(|second| (second, 7)).collect();
        let (pulse, at) = looking(&looks);
        assert!(pulse.dead(at(7)).is_empty());
        pulse.counted((at(8), at(8)), vec![(OTHER, 7)]);
        assert_eq!(pulse.dead(at(8)), [OTHER]);
        pulse.counted((at(9), at(9)), vec![(OTHER, 8)]);
        assert!(pulse.dead(at(9)).is_empty());
    }

    #[test]
    fn an_outage_of_the_database_is_not_read_as_death() {
        let (pulse, at) = looking(&[(0, 7), (1, 7), (60, 7), (61, 7)]);
        assert!(pulse.dead(at(61)).is_empty());
        for second in 62..=68 {
            pulse.counted((at(second), at(second)), vec![(OTHER, 7)]);
        }
        assert_eq!(pulse.dead(at(68)), [OTHER]);
        // And what was seen before an outage says nothing in it.
        assert!(pulse.dead(at(80)).is_empty());
    }

    #[test]
    fn a_claim_holds_while_this_process_counts_without_a_long_pause() {
        let (pulse, at) = looking(&[(10, 0), (11, 0)]);
        assert!(!pulse.holds(at(9), at(11)), "claimed before it counted");
        assert!(pulse.holds(at(10), at(11)));
        assert!(pulse.holds(at(10), at(15)));
        assert!(!pulse.holds(at(10), at(16)), "no count for too long");
        pulse.counted((at(18), at(18)), Vec::new());
        assert!(pulse.holds(at(10), at(18)), "nobody can have noticed");
    }

    #[test]
    fn a_process_that_was_held_up_has_lost_its_claims() {
        let (pulse, at) = looking(&[(0, 0), (1, 0)]);
        pulse.counted((at(9), at(9)), Vec::new());
        assert!(!pulse.holds(at(1), at(9)));
        assert!(pulse.holds(at(9), at(9)));
    }

    #[test]
    fn a_count_that_arrives_late_is_a_pause_as_well() {
        let (pulse, at) = looking(&[(0, 0)]);
        pulse.counted((at(1), at(8)), Vec::new());
        assert!(!pulse.holds(at(1), at(8)));
    }
}
