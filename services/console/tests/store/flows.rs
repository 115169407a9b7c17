//! What is remembered of queues.

use anyhow::Result;
use console::store::{self, ArrivalRow, FlowRow};
use sqlx::PgPool;

use crate::support::samples::now;

#[sqlx::test]
async fn arrivals_are_remembered_until_their_messages_have_left(pool: PgPool) -> Result<()> {
    store::save_flows(&pool, &[flow(0, &[10, 20])]).await?;
    store::save_flows(&pool, &[flow(12, &[20, 30])]).await?;
    assert_eq!(remembered(&pool).await?, (12, vec![20, 30]));
    store::save_flows(&pool, &[flow(30, &[])]).await?;
    assert_eq!(remembered(&pool).await?, (30, vec![]));
    store::save_flows(&pool, &[]).await?;
    assert_eq!(remembered(&pool).await?, (30, vec![]));
    Ok(())
}

#[sqlx::test]
async fn a_queue_that_was_made_anew_is_counted_anew(pool: PgPool) -> Result<()> {
    store::save_flows(&pool, &[flow(1_000, &[1_010, 1_020])]).await?;
    store::save_flows(&pool, &[flow(0, &[5])]).await?;
    assert_eq!(remembered(&pool).await?, (0, vec![5]));
    store::save_flows(&pool, &[flow(0, &[])]).await?;
    assert_eq!(remembered(&pool).await?, (0, vec![]));
    Ok(())
}

fn flow(departed: u64, arrivals: &[u64]) -> FlowRow {
    let now = now();
    let arrival = |arrived: &u64| ArrivalRow {
        before: arrived - 5,
        arrived: *arrived,
        began_at: now,
        ended_at: now,
        at_least: false,
    };
    FlowRow {
        queue: "inventory.stock-commands".to_owned(),
        departed,
        acknowledged: 7,
        unwatched: 0,
        watched_since: now,
        seen_at: now,
        arrivals: arrivals.iter().map(arrival).collect(),
    }
}

/// How many have left the queue, and the numbers that its arrivals had reached.
async fn remembered(pool: &PgPool) -> Result<(u64, Vec<u64>)> {
    let mut flows = store::flows(pool).await?;
    let flow = flows.pop().filter(|_| flows.is_empty());
    let flow = flow.ok_or_else(|| anyhow::anyhow!("not one queue"))?;
    Ok((
        flow.departed,
        flow.arrivals
            .iter()
            .map(|arrival| arrival.arrived)
            .collect(),
    ))
}
