use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgPool, Row};

/// The last attempt to handle the record for which a partition waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// The consumer group that has tried.
    pub group: String,
    /// Name of the topic.
    pub topic: String,
    /// Number of the partition.
    pub partition: i32,
    /// Place of the record.
    pub offset: i64,
    /// How many attempts have failed.
    pub failed: u32,
    /// How many there are at most.
    pub limit: u32,
    /// When it is tried again.
    pub until: Timestamp,
    /// Why the last one has failed.
    pub error: Option<String>,
}

/// The last attempt for each partition that has waited during the last ten minutes.
pub async fn attempts(db: &PgPool) -> sqlx::Result<Vec<Attempt>> {
    sqlx::query_as(
        "select distinct on (consumer_group, topic, partition) * from (
             select attributes ->> 'messaging.consumer.group.name' as consumer_group,
                    attributes ->> 'messaging.destination.name' as topic,
                    attributes ->> 'messaging.destination.partition.id' as partition,
                    attributes -> 'messaging.kafka.offset' as \"offset\",
                    attributes -> 'spillway.attempts.failed' as failed,
                    attributes -> 'spillway.attempts.limit' as most,
                    started_at, started_at + duration_us * interval '1 us' as until, error
             from spans where name like 'hold %' and started_at > now() - interval '10 min') as held
         order by consumer_group, topic, partition, started_at desc",
    )
    .fetch_all(db)
    .await
}

impl FromRow<'_, PgRow> for Attempt {
    /// What a span does not say is nothing that could be shown.
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let text = |column| {
            row.try_get::<Option<String>, _>(column)
                .map(Option::unwrap_or_default)
        };
        let number = |column| -> sqlx::Result<i64> {
            let value: Option<serde_json::Value> = row.try_get(column)?;
            Ok(value.and_then(|value| value.as_i64()).unwrap_or_default())
        };
        let until: jiff_sqlx::Timestamp = row.try_get("until")?;
        Ok(Self {
            group: text("consumer_group")?,
            topic: text("topic")?,
            partition: text("partition")?.parse().unwrap_or(-1),
            offset: number("offset")?,
            failed: u32::try_from(number("failed")?).unwrap_or_default(),
            limit: u32::try_from(number("most")?).unwrap_or_default(),
            until: until.to_jiff(),
            error: row.try_get("error")?,
        })
    }
}
