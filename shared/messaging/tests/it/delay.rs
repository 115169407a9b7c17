use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use messaging::{Cause, parse_delay};
use sqlx::PgPool;

use crate::common::{QUEUE, Stage, parcel, record_all, record_if};

const SHORT: Duration = Duration::from_millis(400);
const LONG: Duration = Duration::from_secs(4);

#[sqlx::test(migrations = false)]
async fn a_longer_delay_does_not_hold_up_a_shorter_one(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    let arrivals = Arc::new(Mutex::new(Vec::new()));
    let handler = record_if({
        let arrivals = Arc::clone(&arrivals);
        move |_| {
            let mut arrivals = arrivals.lock().unwrap_or_else(|poison| poison.into_inner());
            arrivals.push(Instant::now());
            Ok(())
        }
    });
    let consumer = stage.bus.queue(QUEUE).delayed_by(SHORT).delayed_by(LONG);
    stage.start(|token| consumer.run("receive", handler, token));
    stage.start(|token| stage.bus.rabbitmq_relay([], token));
    stage.rabbitmq.until_consumed(QUEUE).await?;

    let sent = Instant::now();
    let mut tx = stage.bus.begin().await?;
    tx.publish_after(&Cause::none(), &parcel("alice", 1), LONG);
    tx.publish_after(&Cause::none(), &parcel("alice", 2), SHORT);
    tx.publish(&Cause::none(), &parcel("alice", 3));
    tx.commit().await?;

    assert_eq!(stage.numbers_after(3).await?, [3, 2, 1]);
    let arrivals = arrivals
        .lock()
        .map_or_else(|poison| poison.into_inner().clone(), |all| all.clone());
    assert!(arrivals[1] - sent >= SHORT);
    assert!(arrivals[2] - sent >= LONG);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn the_longest_delay_that_may_be_set_is_the_longest_that_rabbitmq_takes(
    pool: PgPool,
) -> anyhow::Result<()> {
    let longest = parse_delay("3650d").map_err(anyhow::Error::msg)?;
    let too_long = longest + Duration::from_millis(1);
    let stage = Stage::new(&pool).await?;
    for (queue, delay, is_taken) in [(QUEUE, longest, true), ("parcels-later", too_long, false)] {
        let bus = stage.another_bus()?;
        let consumer = bus.queue(queue).delayed_by(delay);
        stage.start(|token| consumer.run("receive", record_all(), token));
        stage.rabbitmq.until_consumed(queue).await?;
        let checked = bus.topology_check()().await;
        assert_eq!(checked.is_ok(), is_taken, "{delay:?}: {checked:?}");
    }
    stage.end().await
}
