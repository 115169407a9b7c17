use std::collections::BTreeSet;
use std::sync::Arc;

use sqlx::PgConnection;

use super::*;
use crate::outbox::{Address, Handovers, NewRow, Written, insert};
use crate::transport::Transport;

#[test]
fn only_a_power_of_two_is_a_number_of_shards() {
    for (text, shards) in [("1", 1), ("8", 8), ("32", 32), ("1024", 1024)] {
        assert_eq!(parse_shards(text), Ok(shards));
    }
    for text in ["", "0", "-8", "12", "2048", "40000", "eight"] {
        assert!(parse_shards(text).is_err(), "{text}");
    }
}

#[sqlx::test(migrations = false)]
async fn an_empty_outbox_is_divided_into_more_shards_and_fewer(pool: PgPool) -> anyhow::Result<()> {
    crate::migrate::migrate(&pool).await?;
    assert_eq!(divide(&pool, 8).await?, Divided::AsWanted);
    for (before, shards) in [(8, 32), (32, 2), (2, 4)] {
        assert_eq!(divide(&pool, shards).await?, Divided::Anew { before });
        for transport in Transport::ALL {
            let leases = "select shard from messaging.leases where transport = $1 order by shard";
            let leases: Vec<i16> = sqlx::query_scalar(leases)
                .bind(transport.as_str())
                .fetch_all(&pool)
                .await?;
            assert_eq!(leases, (0..shards).collect::<Vec<_>>());
        }
    }
    Ok(())
}

#[sqlx::test(migrations = false)]
async fn an_outbox_with_a_row_stays_as_it_is(pool: PgPool) -> anyhow::Result<()> {
    crate::migrate::migrate(&pool).await?;
    let mut tx = pool.begin().await?;
    write(&mut tx, 1).await?;
    // Not even committed: whoever looks into the table does not see it.
    assert_eq!(divide(&pool, 32).await?, Divided::NotYet { before: 8 });
    tx.commit().await?;
    assert_eq!(divide(&pool, 32).await?, Divided::NotYet { before: 8 });
    sqlx::query("delete from messaging.outbox")
        .execute(&pool)
        .await?;
    assert_eq!(divide(&pool, 32).await?, Divided::Anew { before: 8 });
    Ok(())
}

#[sqlx::test(migrations = false)]
async fn rows_are_written_for_all_shards_that_there_are(pool: PgPool) -> anyhow::Result<()> {
    crate::migrate::migrate(&pool).await?;
    for shards in [2, 16] {
        divide(&pool, shards).await?;
        let mut tx = pool.begin().await?;
        write(&mut tx, 1_000).await?;
        let used = "select distinct shard from messaging.outbox";
        let used: Vec<i16> = sqlx::query_scalar(used).fetch_all(&mut *tx).await?;
        assert_eq!(BTreeSet::from_iter(used), BTreeSet::from_iter(0..shards));
        tx.rollback().await?;
    }
    Ok(())
}

/// Writes rows of so many keys.
async fn write(db: &mut PgConnection, rows: usize) -> sqlx::Result<()> {
    let handovers = Arc::new(Handovers::new());
    let rows = (0..rows).map(|number| NewRow {
        address: Address {
            transport: Transport::Kafka,
            destination: "tests".into(),
            key: number.to_string().into(),
        },
        ordering_key: number.to_string(),
        message_type: "test.row.v1",
        traceparent: None,
        body: Vec::new(),
    });
    insert(db, rows.collect(), &mut Written::nothing(&handovers)).await
}
