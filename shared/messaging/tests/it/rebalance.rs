use std::time::Duration;

use messaging::{Failure, Handler, Received, Tx};
use sqlx::PgPool;

use crate::common::{Parcel, Stage, parcel, record};

const KEYS: i64 = 8;
const VERSIONS: i64 = 60;

#[sqlx::test(migrations = false)]
async fn partitions_move_between_consumers_with_no_second_effect_and_in_order(
    pool: PgPool,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    let topic = stage.topic(4).await?.topic;
    stage.start(|token| stage.bus.kafka_relay([topic], token));
    for version in 1..=VERSIONS {
        let facts = (1..=KEYS).map(|key| parcel(key.to_string(), version).via_topic(topic));
        stage.publish(facts).await?;
    }
    let start = |bus: messaging::Bus| {
        let consumer = bus.topic(topic).batch(3);
        stage.start(|token| consumer.run("receive", Slow, token))
    };

    let first = start(stage.bus.clone());
    stage.numbers_after(20).await?;
    let second = start(stage.another_bus()?);
    stage.numbers_after(120).await?;
    first.stop().await?;
    stage.numbers_after(200).await?;
    start(stage.another_bus()?);
    stage.numbers_after(260).await?;
    second.crash().await;

    let all = usize::try_from(KEYS * VERSIONS)?;
    stage.numbers_after(all).await?;
    let effects = stage.effects().await?;
    for key in 1..=KEYS {
        let of_key = effects.iter().filter(|(k, _)| *k == key.to_string());
        let versions: Vec<i64> = of_key.map(|(_, version)| *version).collect();
        assert_eq!(versions, (1..=VERSIONS).collect::<Vec<_>>(), "key {key}");
    }
    stage.end().await
}

/// Takes its time, so that partitions move in the midst of the work.
struct Slow;

impl Handler for Slow {
    type Message = Parcel;

    async fn handle(&self, tx: &mut Tx, message: &Received<Parcel>) -> Result<(), Failure> {
        tokio::time::sleep(Duration::from_millis(20)).await;
        record(tx, message).await
    }
}
