//! The last minutes of a queue.

use anyhow::{Context, Result};
use jiff::Timestamp;
use sqlx::PgPool;

use crate::broker::{Broker, QUEUE};
use crate::support::{Service, eventually};

#[sqlx::test]
async fn a_point_is_kept_for_every_look_at_a_queue(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let broker = Broker::start().await?;
    broker.say(0, 1, 100);
    let watching = broker.watch(&service.live.statistics, &service.pool)?;
    let history = async |points: usize| {
        eventually("points", async || {
            let answer = service.get("/api/console/history?seconds=60").await?;
            let known = answer.body["at"]
                .as_array()
                .is_some_and(|at| at.len() >= points);
            Ok(known.then_some(answer.body))
        })
        .await
    };
    history(1).await?;
    broker.say(6, 1, 104);
    let history = history(3).await?;
    assert_eq!(history["queue"], QUEUE);
    let columns = [
        "arrived",
        "departed",
        "depth",
        "age_s",
        "in_per_s",
        "out_per_s",
        "instances",
    ];
    let points = history["at"].as_array().context("no times")?;
    for column in columns {
        assert_eq!(
            history[column].as_array().map(Vec::len),
            Some(points.len()),
            "{column}"
        );
    }
    let last = points.len() - 1;
    let numbers =
        ["arrived", "departed", "depth", "instances"].map(|column| history[column][last].as_u64());
    assert_eq!(numbers, [Some(10), Some(4), Some(6), Some(1)]);
    let now = Timestamp::now().as_millisecond() as f64 / 1_000.0;
    let at = points[last].as_f64().context("no time")?;
    assert!((now - 10.0..=now + 0.1).contains(&at), "{at} and {now}");
    watching.stop().await
}
