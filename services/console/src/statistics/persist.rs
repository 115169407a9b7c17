use std::collections::BTreeMap;
use std::time::Duration;

use database::within_limit;
use futures::FutureExt;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{Clock, Statistics};
use crate::domain::{Arrival, Saved};
use crate::pace::every;
use crate::store::{self, FlowRow};

/// How often what has changed is stored.
const INTERVAL: Duration = Duration::from_secs(1);

/// How often all is stored, so that it is known until when somebody has looked.
const ALL: Duration = Duration::from_secs(5);

/// How many messages had arrived at each queue and left it when that was last stored.
type Stored = BTreeMap<String, (u64, u64)>;

/// Takes up what another process has last known of the queues, once the database tells.
pub(super) async fn resume(statistics: &Statistics, pool: &PgPool) {
    loop {
        match within_limit(store::flows(pool)).await {
            Ok(rows) => {
                let mut known = statistics.known();
                let clock = known.clock;
                let saved = rows
                    .into_iter()
                    .map(|row| (row.queue.clone(), saved(clock, row)));
                let saved: BTreeMap<_, _> = saved.collect();
                known.queues.resume(saved);
                return;
            }
            Err(error) => {
                let error = error.to_string();
                warn!(error, "waiting to be told what was known of the queues");
            }
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Remembers what is known of the queues, until stopped.
pub(super) async fn keep(statistics: &Statistics, pool: &PgPool, token: &CancellationToken) {
    let mut stored = Stored::new();
    let mut all = every(ALL);
    let mut tick = every(INTERVAL);
    while token.run_until_cancelled(tick.tick()).await.is_some() {
        if all.tick().now_or_never().is_some() {
            stored.clear();
        }
        remember(statistics, pool, &mut stored).await;
    }
    // Whoever comes next begins where this one has ended.
    remember(statistics, pool, &mut stored).await;
}

async fn remember(statistics: &Statistics, pool: &PgPool, stored: &mut Stored) {
    let (rows, new) = {
        let known = statistics.known();
        let work = known.queues.states().filter(|(_, state)| state.is_work());
        let counts = work.map(|(name, state)| {
            let counts = (state.flow.arrived(), state.flow.departed());
            (name.to_owned(), counts)
        });
        let new: Stored = counts
            .filter(|(name, counts)| stored.get(name) != Some(counts))
            .collect();
        let changed = new
            .keys()
            .filter_map(|name| Some((name, known.queues.state(name)?)));
        let rows = changed.map(|(name, state)| row(known.clock, name, state.flow.save()));
        (rows.collect::<Vec<_>>(), new)
    };
    if rows.is_empty() {
        return;
    }
    match within_limit(store::save_flows(pool, &rows)).await {
        Ok(()) => stored.extend(new),
        Err(error) => {
            let error = error.to_string();
            debug!(error, "what is known of the queues could not be stored");
        }
    }
}

fn row(clock: Clock, queue: &str, saved: Saved) -> FlowRow {
    FlowRow {
        queue: queue.to_owned(),
        departed: saved.departed,
        acknowledged: saved.acknowledged,
        unwatched: saved.unwatched,
        watched_since: clock.on_the_wall(saved.watched_since),
        seen_at: clock.on_the_wall(saved.last_seen),
        arrivals: saved
            .arrivals
            .iter()
            .map(|arrival| store::ArrivalRow {
                before: arrival.before,
                arrived: arrival.arrived,
                began_at: clock.on_the_wall(arrival.began),
                ended_at: clock.on_the_wall(arrival.ended),
                at_least: arrival.at_least,
            })
            .collect(),
    }
}

fn saved(clock: Clock, row: FlowRow) -> Saved {
    Saved {
        departed: row.departed,
        acknowledged: row.acknowledged,
        unwatched: row.unwatched,
        watched_since: clock.moment(row.watched_since),
        last_seen: clock.moment(row.seen_at),
        arrivals: row
            .arrivals
            .iter()
            .map(|arrival| Arrival {
                before: arrival.before,
                arrived: arrival.arrived,
                began: clock.moment(arrival.began_at),
                ended: clock.moment(arrival.ended_at),
                at_least: arrival.at_least,
            })
            .collect(),
    }
}
