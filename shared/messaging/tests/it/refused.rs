//! Many rows that a broker does not take, beside others that it does.

use sqlx::PgPool;

use crate::common::{PARCELS, Parcel, QUEUE, Stage, eventually, parcel};

const MANY: i64 = 60_000;

#[sqlx::test(migrations = false)]
async fn rows_that_nobody_takes_do_not_hold_up_the_others(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    write_for_nobody(&stage, MANY).await?;
    // Behind them in each shard.
    let healthy = (0..16).map(|number| parcel(number.to_string(), number).via_queue(QUEUE));
    stage.publish(healthy).await?;
    stage.start(|token| stage.bus.rabbitmq_relay([PARCELS], token));

    let mut numbers = Vec::new();
    for _ in 0..16 {
        numbers.push(number(&stage).await?);
    }
    // Only the first window was published, and perhaps what was on its way with the others.
    let attempts = attempts(&stage).await?;
    assert!(attempts <= 1_500, "{attempts} attempts");
    numbers.sort_unstable();
    assert_eq!(numbers, (0..16).collect::<Vec<_>>());

    eventually("an outbox with nothing in it that is refused", async || {
        let left = sqlx::query_scalar("select count(*) from messaging.outbox");
        let left: i64 = left.fetch_one(&pool).await?;
        Ok((left == 0).then_some(()))
    })
    .await?;
    assert_eq!(stage.outbox_size().await?, MANY);
    // Nothing that was taken went out again, and what comes later goes as well.
    assert_eq!(stage.rabbitmq.size(QUEUE).await?, 0);
    stage
        .publish([parcel("alice", 16).via_queue(QUEUE)])
        .await?;
    assert_eq!(number(&stage).await?, 16);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn what_was_refused_is_tried_one_by_one_until_it_is_taken_and_then_goes_at_once(
    pool: PgPool,
) -> anyhow::Result<()> {
    const ROWS: i64 = 3_000;
    let stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    write_for_nobody(&stage, ROWS).await?;
    stage.start(|token| stage.bus.rabbitmq_relay([PARCELS], token));
    eventually("everything put aside", async || {
        let aside = sqlx::query_scalar("select count(*) from messaging.refused");
        let aside: i64 = aside.fetch_one(&pool).await?;
        Ok((aside == ROWS).then_some(()))
    })
    .await?;
    let asked = attempts(&stage).await?;
    eventually("two more attempts", async || {
        Ok((attempts(&stage).await? >= asked + 2).then_some(()))
    })
    .await?;
    // Those that were asked least come first, so each attempt is another row.
    let most = sqlx::query_scalar("select max(attempts) from messaging.refused");
    let most: i32 = most.fetch_one(&pool).await?;
    assert_eq!(most, 1);

    stage
        .rabbitmq
        .bind(QUEUE, PARCELS.name, "to.nobody")
        .await?;
    stage.until_the_outbox_is_empty().await?;
    assert_eq!(i64::from(stage.rabbitmq.size(QUEUE).await?), ROWS);
    stage.end().await
}

#[sqlx::test(migrations = false)]
async fn what_one_instance_has_put_aside_is_tried_by_another_that_lives(
    pool: PgPool,
) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    stage.rabbitmq.declare(QUEUE).await?;
    write_for_nobody(&stage, 1).await?;
    let first = stage.start(|token| stage.bus.rabbitmq_relay([PARCELS], token));
    eventually("a row that was put aside", async || {
        Ok((attempts(&stage).await? > 0).then_some(()))
    })
    .await?;
    first.stop().await?;
    stage
        .rabbitmq
        .bind(QUEUE, PARCELS.name, "to.nobody")
        .await?;

    let other = stage.another_bus()?;
    stage.start(|token| other.rabbitmq_relay([PARCELS], token));
    stage.until_the_outbox_is_empty().await?;
    assert_eq!(stage.rabbitmq.size(QUEUE).await?, 1);
    stage.end().await
}

/// Rows of all shards for a key that no queue is bound to.
async fn write_for_nobody(stage: &Stage, rows: i64) -> anyhow::Result<()> {
    sqlx::query(
        "insert into messaging.outbox
             (message_id, transport, shard, destination, routing_key, message_type, body)
         select gen_random_uuid(), 'rabbitmq', (n & 7)::int2, $1, 'to.nobody', 'test.parcel.v1', '{}'
         from generate_series(1, $2) n",
    )
    .bind(PARCELS.name)
    .bind(rows)
    .execute(&stage.pool)
    .await?;
    Ok(())
}

/// How often rows that still wait were published in vain.
async fn attempts(stage: &Stage) -> anyhow::Result<i64> {
    let attempts = sqlx::query_scalar("select coalesce(sum(attempts), 0) from messaging.refused");
    Ok(attempts.fetch_one(&stage.pool).await?)
}

async fn number(stage: &Stage) -> anyhow::Result<i64> {
    let message = stage.rabbitmq.take(QUEUE).await?;
    let parcel: Parcel = serde_json::from_slice(&message.delivery.data)?;
    Ok(parcel.number)
}
