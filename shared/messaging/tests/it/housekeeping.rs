use sqlx::PgPool;

use crate::common::{Stage, eventually, parcel};

#[sqlx::test(migrations = false)]
async fn housekeeping_forgets_what_was_handled_long_ago(pool: PgPool) -> anyhow::Result<()> {
    let stage = Stage::new(&pool).await?;
    for (handler, age) in [("old", "61 minutes"), ("new", "59 minutes")] {
        sqlx::query(
            "insert into messaging.inbox (handler, message_id, received_at)
             select $1, gen_random_uuid(), now() - $2::interval from generate_series(1, 25000)",
        )
        .bind(handler)
        .bind(age)
        .execute(&pool)
        .await?;
    }
    // It also measures the outbox, which should have something in it.
    stage.publish([parcel("alice", 1)]).await?;
    stage.start(|token| stage.bus.housekeeping(token));

    eventually("an inbox without old entries", async || {
        Ok(stage.inbox("old").await?.is_empty().then_some(()))
    })
    .await?;
    assert_eq!(stage.inbox("new").await?.len(), 25_000);
    assert_eq!(stage.outbox_size().await?, 1);
    stage.end().await
}
