use std::time::Duration;

use anyhow::Context;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use sqlx::{PgConnection, PgPool};
use tokio::time::timeout;
use tracing::{info, warn};

use super::client::Kafka;
use crate::backoff::Backoff;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Sees to it that a database that has never read this topic reads it from its beginning. Tries until
/// that is done, through outages of the database and of Kafka; drop the future to give up.
pub(super) async fn begin(kafka: &Kafka, pool: &PgPool, topic: &'static str, group: &str) {
    let mut backoff = Backoff::default();
    while let Err(error) = try_to_begin(kafka, pool, topic, group).await {
        let (error, pause) = (format!("{error:#}"), backoff.next_pause());
        warn!(
            topic,
            group,
            error,
            ?pause,
            "cannot tell yet whether group {group} has to read topic {topic} from its beginning"
        );
        tokio::time::sleep(pause).await;
    }
}

async fn try_to_begin(
    kafka: &Kafka,
    pool: &PgPool,
    topic: &'static str,
    group: &str,
) -> anyhow::Result<()> {
    if has_begun(pool, group).await? {
        return Ok(());
    }
    let consumer: BaseConsumer = kafka
        .config()
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .create()
        .context("cannot create a Kafka consumer")?;
    let rewound = tokio::task::spawn_blocking(move || rewind(&consumer, topic));
    let rewound = timeout(3 * TIMEOUT, rewound).await;
    if rewound.context("Kafka does not answer")??? {
        info!(
            topic,
            group, "the tables are new, group {group} reads topic {topic} from its beginning"
        );
    }
    // Only now: who dies in between does it again.
    remember(pool, group).await?;
    Ok(())
}

/// Whether the tables that are there now have begun to read.
async fn has_begun(pool: &PgPool, group: &str) -> sqlx::Result<bool> {
    let begun = sqlx::query_scalar(
        "select exists (
             select from messaging.read_topics
             where consumer_group = $1
             and tables = coalesce(to_regclass('_sqlx_migrations'), 'messaging._migrations'::regclass)::oid)",
    );
    begun.bind(group).fetch_one(pool).await
}

async fn remember(pool: &PgPool, group: &str) -> sqlx::Result<()> {
    sqlx::query(
        "insert into messaging.read_topics (consumer_group, tables)
         values ($1, coalesce(to_regclass('_sqlx_migrations'), 'messaging._migrations'::regclass)::oid)
         on conflict (consumer_group) do update set tables = excluded.tables, begun_at = default",
    )
    .bind(group)
    .execute(pool)
    .await?;
    Ok(())
}

/// Forgets that these groups have begun: the next consumer of each begins again.
pub(crate) async fn forget(db: &mut PgConnection, groups: &[String]) -> sqlx::Result<()> {
    sqlx::query("delete from messaging.read_topics where consumer_group = any($1)")
        .bind(groups)
        .execute(db)
        .await?;
    Ok(())
}

/// Commits the beginning of every partition of which the group has committed anything; false if there
/// is none. The broker refuses that while the group has members: those of an older database have to
/// leave first, and those of this one have rewound already.
fn rewind(consumer: &BaseConsumer, topic: &str) -> anyhow::Result<bool> {
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT)?;
    let mut partitions = TopicPartitionList::new();
    for partition in metadata.topics().iter().flat_map(|of| of.partitions()) {
        partitions.add_partition(topic, partition.id());
    }
    if partitions.count() == 0 {
        return Ok(false);
    }
    let committed = consumer.committed_offsets(partitions, TIMEOUT)?;
    let mut beginning = TopicPartitionList::new();
    for element in committed.elements() {
        if matches!(element.offset(), Offset::Offset(offset) if offset > 0) {
            beginning.add_partition_offset(topic, element.partition(), Offset::Offset(0))?;
        }
    }
    if beginning.count() == 0 {
        return Ok(false);
    }
    consumer
        .commit(&beginning, CommitMode::Sync)
        .context("cannot rewind, probably the group still has members")?;
    Ok(true)
}
