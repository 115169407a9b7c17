use std::sync::Arc;
use std::time::{Duration, Instant};

use super::*;
use crate::outbox::{Address, Handovers};

const ALL: &[i16] = &[0, 1, 2, 3, 4, 5, 6, 7];

#[sqlx::test(migrations = false)]
async fn nothing_is_handed_over_for_a_shard_that_the_database_knows_to_be_of_another(
    pool: PgPool,
) -> anyhow::Result<()> {
    crate::migrate::migrate(&pool).await?;
    let (handovers, instance) = (Arc::new(Handovers::new()), Uuid::now_v7());
    let handover = handovers.of(Transport::Kafka);
    handover.is_held_by(instance);
    handover.hold(ALL, Instant::now() + Duration::from_secs(3600));
    let term = handover.has_strangers().unwrap_or_default();
    let (oldest, next) = (1, 1);
    handover.run(term, &Running { oldest, next });
    handover.looked(ALL, &handover.known(), Vec::new(), true);
    assert_eq!(handover.open().shards, ALL);

    for (owner, is_queued) in [(instance, false), (Uuid::now_v7(), true)] {
        let own = "update messaging.leases set owner = $1";
        sqlx::query(own).bind(owner).execute(&pool).await?;
        let mut tx = pool.begin().await?;
        let mut written = Written::nothing(&handovers);
        insert(&mut tx, vec![row()], &mut written).await?;
        let queued = "select queued from messaging.outbox";
        let queued: bool = sqlx::query_scalar(queued).fetch_one(&mut *tx).await?;
        assert_eq!(queued, is_queued);
        tx.rollback().await?;
    }
    Ok(())
}

#[sqlx::test(migrations = false)]
async fn a_transaction_that_has_written_runs(pool: PgPool) -> anyhow::Result<()> {
    let mut tx = pool.begin().await?;
    let writes = "select pg_current_xact_id()::text::int8";
    let number: i64 = sqlx::query_scalar(writes).fetch_one(&mut *tx).await?;
    let running = running(&pool).await?;
    assert!(running.oldest <= number && number < running.next);
    tx.rollback().await?;
    Ok(())
}

fn row() -> NewRow {
    NewRow {
        address: Address {
            transport: Transport::Kafka,
            destination: "tests".into(),
            key: "test".into(),
        },
        ordering_key: "test".into(),
        message_type: "test.row.v1",
        traceparent: None,
        body: Vec::new(),
    }
}
