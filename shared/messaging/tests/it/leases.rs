use std::collections::{BTreeMap, HashSet};

use sqlx::PgPool;
use uuid::Uuid;

use crate::common::{Parcel, QUEUE, Stage, eventually, parcel};

#[sqlx::test(migrations = false)]
async fn two_relays_share_the_shards_and_both_publish(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    // Each has its own address for the broker, by which one can tell whose messages arrive.
    let other = stage.another_bus_named("other")?;
    stage.start(|token| stage.bus.rabbitmq_relay([], token));
    stage.start(|token| other.rabbitmq_relay([], token));
    until_owners(&stage, &[4, 4]).await?;

    stage.publish(parcels(1..=200)).await?;

    let (mut sources, mut numbers) = (HashSet::new(), HashSet::new());
    for _ in 0..200 {
        let message = stage.rabbitmq.take(QUEUE).await?;
        let properties = &message.delivery.properties;
        sources.insert(crate::common::amqp_header(properties, "cloudEvents_source"));
        let parcel: Parcel = serde_json::from_slice(&message.delivery.data)?;
        numbers.insert(parcel.number);
    }
    let expected = ["/spillway/tests", "/spillway/other"].map(str::to_owned);
    assert_eq!(sources, expected.into());
    stage.until_the_outbox_is_empty().await?;
    // Each went out once: nobody crashed, so nothing had to be published again.
    assert_eq!(numbers.len(), 200);
    assert_eq!(stage.rabbitmq.size(QUEUE).await?, 0);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_relay_takes_over_from_one_that_crashed(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    let other = stage.another_bus()?;
    let crashing = stage.start(|token| stage.bus.rabbitmq_relay([], token));
    stage.start(|token| other.rabbitmq_relay([], token));
    until_owners(&stage, &[4, 4]).await?;

    crashing.crash().await;
    stage.publish(parcels(1..=200)).await?;

    take_all(&stage, 200).await?;
    until_owners(&stage, &[8]).await?;
    stage.until_the_outbox_is_empty().await?;
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_relay_that_stops_hands_its_shards_back(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    let stopping = stage.start(|token| stage.bus.rabbitmq_relay([], token));
    let owners = until_owners(&stage, &[8]).await?;
    let stopped = owners.keys().next().copied();

    stopping.stop().await?;

    // Nobody has to wait for the time that is left in these leases.
    let left = sqlx::query_scalar(
        "select count(*) from messaging.leases where owner = $1
         union all select count(*) from messaging.relays where instance = $1",
    );
    let left: Vec<i64> = left.bind(stopped).fetch_all(&pool).await?;
    assert_eq!(left, [0, 0]);
    let unexpired = sqlx::query_scalar(
        "select count(*) from messaging.leases where transport = 'rabbitmq' and owner is null",
    );
    let unexpired: i64 = unexpired.fetch_one(&pool).await?;
    assert_eq!(unexpired, 8);
    let other = stage.another_bus()?;
    stage.start(|token| other.rabbitmq_relay([], token));
    stage.publish(parcels(1..=50)).await?;
    take_all(&stage, 50).await?;
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn a_relay_that_slept_through_its_lease_does_not_take_it_back(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    stage.start(|token| stage.bus.rabbitmq_relay([], token));
    until_owners(&stage, &[8]).await?;
    let stranger = Uuid::now_v7();
    let take = sqlx::query(
        "update messaging.leases set owner = $1, expires_at = clock_timestamp() + interval '1 hour'
         where transport = 'rabbitmq' and shard < 4",
    );
    take.bind(stranger).execute(&pool).await?;

    let renewed = last_renewal(&stage, stranger).await?;
    eventually("two renewals", async || {
        Ok((last_renewal(&stage, stranger).await? > renewed + 2.0).then_some(()))
    })
    .await?;
    assert_eq!(owners(&stage).await?.get(&stranger), Some(&4));
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn relays_share_the_shards_that_an_empty_outbox_is_given(pool: PgPool) -> anyhow::Result<()> {
    let mut stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    stage.args.outbox_shards = Some(32);
    let (first, second) = (stage.another_bus()?, stage.another_bus()?);
    for bus in [&first, &second] {
        stage.start(|token| bus.rabbitmq_relay([], token));
    }
    until_owners(&stage, &[4, 4]).await?;

    stage.start(|token| first.housekeeping(token));
    until_owners(&stage, &[16, 16]).await?;

    stage.publish(parcels(1..=200)).await?;
    take_all(&stage, 200).await?;
    stage.until_the_outbox_is_empty().await?;
    stage.end().await
}

/// Parcels of many keys, and so for all shards.
fn parcels(numbers: std::ops::RangeInclusive<i64>) -> impl Iterator<Item = Parcel> {
    numbers.map(|number| parcel(number.to_string(), number))
}

/// Takes messages until so many different ones have come.
async fn take_all(stage: &Stage, count: usize) -> anyhow::Result<()> {
    let mut numbers = HashSet::new();
    while numbers.len() < count {
        let message = stage.rabbitmq.take(QUEUE).await?;
        let parcel: Parcel = serde_json::from_slice(&message.delivery.data)?;
        numbers.insert(parcel.number);
    }
    Ok(())
}

/// Waits until relays hold so many shards each, in ascending order.
async fn until_owners(stage: &Stage, shards: &[i64]) -> anyhow::Result<BTreeMap<Uuid, i64>> {
    eventually("a fair distribution of shards", async || {
        let owners = owners(stage).await?;
        let mut held: Vec<i64> = owners.values().copied().collect();
        held.sort_unstable();
        Ok((held == shards).then_some(owners))
    })
    .await
}

/// How many shards each relay holds.
async fn owners(stage: &Stage) -> anyhow::Result<BTreeMap<Uuid, i64>> {
    let owners: Vec<(Uuid, i64)> = sqlx::query_as(
        "select owner, count(*) from messaging.leases
         where transport = 'rabbitmq' and owner is not null and expires_at > clock_timestamp()
         group by owner",
    )
    .fetch_all(&stage.pool)
    .await?;
    Ok(owners.into_iter().collect())
}

/// When a lease was last renewed by anybody but this one, in seconds.
async fn last_renewal(stage: &Stage, except: Uuid) -> anyhow::Result<f64> {
    let latest = sqlx::query_scalar(
        "select extract(epoch from max(expires_at))::float8 from messaging.leases
         where transport = 'rabbitmq' and owner <> $1",
    );
    Ok(latest.bind(except).fetch_one(&stage.pool).await?)
}
