//! How old the oldest message of a queue is, which no broker tells.

use anyhow::Result;
use console::domain::Age;
use console::statistics::Statistics;
use sqlx::PgPool;
use tokio::time::Instant;

use crate::broker::{Broker, QUEUE};
use crate::support::eventually;

/// What times lose on their way into the database and back, in seconds.
const EXACTLY: f64 = 0.2;

#[sqlx::test]
async fn a_message_is_as_old_after_a_restart_as_it_was_before(pool: PgPool) -> Result<()> {
    let broker = Broker::start().await?;
    broker.say(0, 1, 100);
    let (before, after) = (Statistics::default(), Statistics::default());
    let watching = broker.watch(&before, &pool)?;
    eventually("the empty queue", async || Ok(depth(&before))).await?;
    broker.say(5, 1, 100);
    let (age, seen) = eventually("an age", async || Ok(age(&before))).await?;
    watching.stop().await?;

    let watching = broker.watch(&after, &pool)?;
    let look = async || Ok(self::age(&after));
    let (later, seen_later) = eventually("an age after the restart", look).await?;
    let expected = age.seconds + (seen_later - seen).as_secs_f64();
    assert!(
        (later.seconds - expected).abs() < EXACTLY,
        "{later:?}, expected {expected}"
    );
    assert!(!age.at_least && !later.at_least);
    watching.stop().await
}

#[sqlx::test]
async fn what_was_there_before_anybody_looked_is_at_least_so_old_also_after_a_restart(
    pool: PgPool,
) -> Result<()> {
    let broker = Broker::start().await?;
    broker.say(7, 0, 100);
    for _ in 0..2 {
        let statistics = Statistics::default();
        let watching = broker.watch(&statistics, &pool)?;
        let (age, _) = eventually("an age", async || Ok(age(&statistics))).await?;
        assert!(age.at_least);
        watching.stop().await?;
    }
    Ok(())
}

#[sqlx::test]
async fn what_arrived_and_left_while_nobody_looked_is_counted(pool: PgPool) -> Result<()> {
    let broker = Broker::start().await?;
    broker.say(7, 1, 100);
    let before = Statistics::default();
    let watching = broker.watch(&before, &pool)?;
    eventually("the queue", async || Ok(depth(&before))).await?;
    watching.stop().await?;
    // Nine have left and five have come.
    broker.say(3, 1, 109);
    let after = Statistics::default();
    let watching = broker.watch(&after, &pool)?;
    let (age, _) = eventually("an age", async || Ok(age(&after))).await?;
    assert!(!age.at_least);
    let known = after
        .known()
        .queues
        .state(QUEUE)
        .map(|state| (state.flow.arrived(), state.flow.departed()));
    assert_eq!(known, Some((12, 9)));
    watching.stop().await
}

fn depth(statistics: &Statistics) -> Option<u64> {
    let known = statistics.known();
    known.queues.state(QUEUE)?.last.messages
}

/// The age, and when it was that.
fn age(statistics: &Statistics) -> Option<(Age, Instant)> {
    let known = statistics.known();
    let age = known.queues.state(QUEUE)?.age(known.clock.now())?;
    Some((age, Instant::now()))
}
